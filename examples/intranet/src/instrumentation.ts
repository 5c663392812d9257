import * as Sentry from "@sentry/nextjs";

import { settings } from "./lib/settings";

// Once for each server, before the first request. The browser sends nothing: its policy allows this host alone.
export function register(): void {
  Sentry.init({
    dsn: settings.sentryDsn(),
    environment: "production",
    tracesSampleRate: 0.1,
  });
}

export const onRequestError = Sentry.captureRequestError;
