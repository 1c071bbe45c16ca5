import { deepEqual, equal } from "node:assert/strict";
import { systemWorld } from "../world/mod.ts";
import { createApp } from "./app.ts";
import { FakeNode } from "./fake_node.ts";

Deno.test("retention: set, listed, taken back; what is too short or nonsense is refused", async () => {
  const app = createApp(new FakeNode(), { world: systemWorld() });
  const set = (kind: string, body: string) => app.request(`/v1/retention/${kind}`, { method: "PUT", body });
  const list = async () => (await (await app.request("/v1/retention")).json()).kinds;
  deepEqual(await (await set("order", '{"days": 365}')).json(), { kind: "order", days: 365, isDefault: false });
  deepEqual(await (await set("note", '{"days": null}')).json(), { kind: "note", days: null, isDefault: false });
  deepEqual((await list()).length, 2);
  for (const body of ['{"days": 29}', '{"days": "365"}', '{"days": 30.5}', '{"days": 1e9}', "nonsense", ""]) {
    equal((await set("order", body)).status, 400, body);
  }
  equal((await set("or%2Fder", '{"days": 365}')).status, 400);
  deepEqual(await (await set("order", "{}")).json(), { kind: "order", days: null, isDefault: true });
  deepEqual(await list(), [{ kind: "note", days: null, isDefault: false }]);
});
