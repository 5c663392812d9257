// The address a request comes from: the last entry is the one that our own proxy wrote; those before it are claims.
export function caller(request: Request): string {
  return request.headers.get("x-forwarded-for")?.split(",").at(-1)?.trim() || "unknown";
}
