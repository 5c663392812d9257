import pino from "pino";

// One line of JSON for each event, on standard output: what collects the logs is the platform's matter.
export const log = pino({
  base: { service: "intranet" },
  redact: ["*.authorization", "*.cookie", "*.password"],
});
