import assert from "node:assert/strict";
import { test } from "node:test";

import { rollback, type Steps } from "../src/lib/rollback.ts";

function recorder(failing = ""): { steps: Steps; taken: string[] } {
  const taken: string[] = [];
  const steps = new Proxy({} as Steps, {
    get: (_, name: string) => async () => {
      taken.push(name);
      if (name === failing) {
        throw new Error(`${name} failed`);
      }
      return "backup";
    },
  });
  return { steps, taken };
}

test("what is there is saved first, and the team is told when the release answers", async () => {
  const { steps, taken } = recorder();
  await rollback(steps, "1.7.2");
  assert.equal(taken[0], "backupDatabase");
  assert.deepEqual(taken.slice(-2), ["checkHealth", "notifyTeam"]);
});

test("a step that fails ends the rollback in the open", async () => {
  const { steps, taken } = recorder("restoreDatabase");
  await assert.rejects(rollback(steps, "1.7.2"), /restoreDatabase failed/);
  assert.equal(taken.includes("deployRelease"), false);
  assert.equal(taken.at(-1), "notifyTeam");
});
