import { Ratelimit } from '@upstash/ratelimit'
import { Redis } from '@upstash/redis'

const limiter = new Ratelimit({
  redis: Redis.fromEnv(),
  limiter: Ratelimit.slidingWindow(100, '1 m'),
})

// Written for the API, and no route calls it.
export async function enforceLimit(caller: string) {
  const { success } = await limiter.limit(caller)
  if (!success) {
    throw new Error('Rate limit exceeded')
  }
}
