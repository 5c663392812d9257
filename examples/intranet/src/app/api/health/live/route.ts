export const dynamic = "force-dynamic";

// Alive: the process answers. It asks nobody else, so that a sick database restarts no healthy process.
export function GET(): Response {
  return Response.json({ status: "ok" }, { headers: { "Cache-Control": "no-store" } });
}
