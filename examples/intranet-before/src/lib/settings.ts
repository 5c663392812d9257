// Read when it is needed, checked never: a missing variable shows itself as `undefined` somewhere else.
export const databaseUrl = process.env.DATABASE_URL!
export const redisUrl = process.env.REDIS_URL!
export const sentryDsn = process.env.SENTRY_DSN!
export const encryptionKey = process.env.ENCRYPTION_KEY!
