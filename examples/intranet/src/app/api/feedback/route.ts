import { caller } from "../../../lib/caller";
import { refusal } from "../../../lib/rate-limit";
import { database } from "../../../lib/stores";

// Stored as it was written: React escapes it where it is shown, so that nothing has to be taken out of it.
export async function POST(request: Request): Promise<Response> {
  const refused = await refusal(caller(request));
  if (refused) {
    return refused;
  }
  const text = (await request.text()).slice(0, 4_000);
  await database().query("INSERT INTO app.feedback (text) VALUES ($1)", [text]);
  return new Response(null, { status: 204 });
}
