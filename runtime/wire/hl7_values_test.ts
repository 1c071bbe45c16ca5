import { deepEqual, equal } from "node:assert/strict";
import { Hl7View } from "./hl7_view.ts";
import { hl7Values } from "./hl7_values.ts";

const TEXT = [
  "MSH|^~\\&|LAB|HOSPX|||20260101||ORU^R01|7|P|2.5",
  "PID|1||1001^^^HOSPX&1.2.3&ISO^MR~77||Doe\\T\\Roe^Jane",
  "OBX|1|NM|718-7^Hb||13.5",
  "OBX|2|ST|||a\\.br\\b",
].join("\r");

Deno.test("hl7Values: each value under the path that gives it", () => {
  const view = Hl7View.read(TEXT)!;
  const values = hl7Values(view);
  deepEqual(values.filter(([path]) => path.startsWith("PID")), [
    ["PID-1", "1"],
    ["PID-3.1", "1001"],
    ["PID-3.4.1", "HOSPX"],
    ["PID-3.4.2", "1.2.3"],
    ["PID-3.4.3", "ISO"],
    ["PID-3.5", "MR"],
    ["PID-3[2]", "77"],
    ["PID-5.1", "Doe&Roe"],
    ["PID-5.2", "Jane"],
  ]);
  for (const [path, value] of values) equal(view.get(path), value, path);
  deepEqual(hl7Values(view, 3).map(([path]) => path), ["MSH-1", "MSH-2", "MSH-3"]);
});
