import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";

import { cache } from "./stores";

let limiter: RateLimiterRedis | undefined;

// Ten requests in a minute for each caller, counted in the cache that all instances share. The answer for a request
// over the limit, else nothing.
export async function refusal(caller: string): Promise<Response | undefined> {
  limiter ??= new RateLimiterRedis({ storeClient: cache(), keyPrefix: "requests", points: 10, duration: 60 });
  try {
    await limiter.consume(caller);
    return undefined;
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) {
      throw refused;
    }
    const seconds = Math.ceil(refused.msBeforeNext / 1_000);
    return new Response("Too many requests", { status: 429, headers: { "Retry-After": String(seconds) } });
  }
}
