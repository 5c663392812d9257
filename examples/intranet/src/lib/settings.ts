// Every variable the intranet reads, and nothing else reads the environment. A missing one stops the process at
// its first request instead of surfacing as a strange error later.
function required(name: string, value: string | undefined): string {
  if (!value) {
    throw new Error(`${name} is not set, see .env.example`);
  }
  return value;
}

export const settings = {
  databaseUrl: () => required("DATABASE_URL", process.env.DATABASE_URL),
  redisUrl: () => required("REDIS_URL", process.env.REDIS_URL),
  sentryDsn: () => required("SENTRY_DSN", process.env.SENTRY_DSN),
  sessionSecret: () => required("SESSION_SECRET", process.env.SESSION_SECRET),
  siteUrl: required("NEXT_PUBLIC_SITE_URL", process.env.NEXT_PUBLIC_SITE_URL),
};
