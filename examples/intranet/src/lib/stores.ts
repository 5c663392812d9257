import { Redis } from "ioredis";
import { Pool } from "pg";

import { settings } from "./settings";

let pool: Pool | undefined;
let redis: Redis | undefined;

// Opened on first use: `next build` imports this module on machines without a database.
export function database(): Pool {
  pool ??= new Pool({
    connectionString: settings.databaseUrl(),
    max: 5,
    connectionTimeoutMillis: 2_000,
    statement_timeout: 10_000,
  });
  return pool;
}

export function cache(): Redis {
  redis ??= new Redis(settings.redisUrl(), { connectTimeout: 2_000, maxRetriesPerRequest: 1 });
  return redis;
}
