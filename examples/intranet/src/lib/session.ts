import { createHmac, timingSafeEqual } from "node:crypto";

import { settings } from "./settings";

export function sign(session: string): string {
  return createHmac("sha256", settings.sessionSecret()).update(session).digest("base64url");
}

export function verify(session: string, signature: string): boolean {
  const expected = Buffer.from(sign(session));
  const given = Buffer.from(signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
