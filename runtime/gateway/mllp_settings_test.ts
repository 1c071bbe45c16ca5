import assert from "node:assert/strict";
import { checkMllpSettings, type MllpSettings } from "./mllp_settings.ts";

Deno.test("mllp: settings that cannot be are refused at the start", () => {
  const good: MllpSettings[] = [
    {},
    { route: { facility: "MSH-6", id: "PID-3[2].1", charset: "8859/1" }, idleMs: 0 },
    { route: { charset: "UNICODE UTF-8" }, connectionsMax: 1 },
  ];
  for (const settings of good) checkMllpSettings(settings);
  const bad: MllpSettings[] = [
    { route: { facility: "MSH" } },
    { route: { id: "" } },
    { route: { charset: "latin1" } },
    { connectionsMax: 0 },
    { connectionsMax: 1.5 },
    { inFlightMax: 0 },
    { idleMs: -1 },
    { idleMs: NaN },
  ];
  for (const settings of bad) {
    assert.throws(() => checkMllpSettings(settings), { code: "gateway/bad-mllp-settings" }, JSON.stringify(settings));
  }
});
