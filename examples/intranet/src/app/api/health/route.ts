import { log } from "../../../lib/log";
import { cache, database } from "../../../lib/stores";

export const dynamic = "force-dynamic";

// Ready: what a request needs is there. Says neither which part failed nor why; that stands in the log.
export async function GET(): Promise<Response> {
  const checks = Promise.all([database().query("SELECT 1"), cache().ping()]);
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error("health check timed out")), 2_000).unref();
  });
  try {
    await Promise.race([checks, timeout]);
    return Response.json({ status: "ok" }, { headers: { "Cache-Control": "no-store" } });
  } catch (error) {
    log.error({ error }, "health check failed");
    return Response.json({ status: "unavailable" }, { status: 503, headers: { "Cache-Control": "no-store" } });
  }
}
