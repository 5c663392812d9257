import assert from "node:assert/strict";
import { test } from "node:test";

process.env.NEXT_PUBLIC_SITE_URL = "https://intranet.elo.example";
const { settings } = await import("../src/lib/settings.ts");

test("a variable that is set is given back", () => {
  process.env.REDIS_URL = "rediss://cache.elo.example:6379";
  assert.equal(settings.redisUrl(), "rediss://cache.elo.example:6379");
  assert.equal(settings.siteUrl, "https://intranet.elo.example");
});

test("a variable that is missing stops the first who asks for it", () => {
  delete process.env.DATABASE_URL;
  delete process.env.SESSION_SECRET;
  assert.throws(() => settings.databaseUrl(), /DATABASE_URL is not set/);
  assert.throws(() => settings.sessionSecret(), /SESSION_SECRET is not set/);
});
