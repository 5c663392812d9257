import { caller } from "../../../lib/caller";
import { cleanHtml } from "../../../lib/clean-html";
import { refusal } from "../../../lib/rate-limit";
import { verify } from "../../../lib/session";
import { database } from "../../../lib/stores";

// HTML, from editors: shown as HTML, and therefore cleaned before it is stored.
export async function POST(request: Request): Promise<Response> {
  const refused = await refusal(caller(request));
  if (refused) {
    return refused;
  }
  const [session = "", signature = ""] = (request.headers.get("authorization") ?? "").split(".");
  if (!verify(session, signature)) {
    return new Response("Sign in first", { status: 401 });
  }
  const html = cleanHtml((await request.text()).slice(0, 20_000));
  await database().query("INSERT INTO app.news (html) VALUES ($1)", [html]);
  return new Response(null, { status: 204 });
}
