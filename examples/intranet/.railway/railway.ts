import { defineRailway, github, postgres, preserve, project, redis, service } from "railway/iac";

// In place of railway.toml, which new services no longer read. `railway config plan` shows what would change.
export default defineRailway(() => {
  const database = postgres("database");
  const cache = redis("cache");

  const web = service("web", {
    source: github("elo-example/intranet", { branch: "main" }),
    build: {
      builder: "DOCKERFILE",
      dockerfilePath: "Dockerfile.production",
    },
    healthcheck: "/api/health",
    healthcheckTimeout: 100,
    replicas: 3,
    deploy: {
      restartPolicyType: "ON_FAILURE",
      restartPolicyMaxRetries: 10,
      overlapSeconds: 20,
      drainingSeconds: 30,
    },
    domains: [{ domain: "intranet.elo.example", port: 3000 }],
    env: {
      DATABASE_URL: database.env.DATABASE_URL,
      REDIS_URL: cache.env.REDIS_URL,
      SENTRY_DSN: preserve(),
      SESSION_SECRET: preserve(),
      NEXT_PUBLIC_SITE_URL: "https://intranet.elo.example",
      // The domain above forwards to 3000; without this Railway would choose a port of its own.
      PORT: "3000",
    },
  });

  return project("intranet", {
    resources: [database, cache, web],
  });
});
