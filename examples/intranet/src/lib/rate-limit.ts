import { cache } from "./stores";

const REQUESTS = 10;
const WINDOW = 60_000;

// Sliding window: ten requests in a minute for each caller. The answer for a request over the limit, else nothing.
export async function refusal(caller: string): Promise<Response | undefined> {
  const key = `requests:${caller}`;
  const now = Date.now();
  const replies = await cache()
    .multi()
    .zremrangebyscore(key, 0, now - WINDOW)
    .zadd(key, now, `${now}-${crypto.randomUUID()}`)
    .zcard(key)
    .pexpire(key, WINDOW)
    .exec();
  const seen = Number(replies?.[2]?.[1] ?? REQUESTS + 1);
  if (seen <= REQUESTS) {
    return undefined;
  }
  return new Response("Too many requests", { status: 429, headers: { "Retry-After": String(WINDOW / 1_000) } });
}
