/**
 * Queries over MLLP, on real nodes: a handler's reply is the answer, whichever node is asked; where a handler stands still
 * the sender hears of it, and once it is mended the same message is answered.
 */
import assert from "node:assert/strict";
import { stopBundler } from "../../runtime/plugin_host/mod.ts";
import { withCluster } from "./cluster_of_processes.ts";
import { deployPlugin } from "./deploy_plugin.ts";
import { within } from "./waiting.ts";

const THREE = ["TN-A-1", "TX-A-1", "FL-A-1"];

/** The handler of the documentation, which counts visits and says how many there were; `twist` goes before. */
function answersOf(twist = ""): string {
  return "data:application/typescript," + encodeURIComponent(`
    import { acknowledgeHl7, defineHandler, effect } from "@waterpark/waterpark";
    export default defineHandler({
      name: "answers", kind: "patient", initial: { visits: 0 },
      handle(_key, { visits }, { type, body, at }) {
        ${twist}
        if (type !== "QBP^Q22") return ["ok", { visits: visits + (type === "ADT^A01" ? 1 : 0) }, []];
        const answer = acknowledgeHl7(body, { code: "AA", id: "r" + at, at });
        answer.set("MSH-9", ["RSP", "K22"]).set("QAK-2", "OK").set("QAK-4", String(visits));
        return ["ok", { visits }, [effect.reply(answer.done().text)]];
      },
    });`);
}

/** Sends one message and reads frames until `count` have come; of each its MSH-9, MSA and QAK. */
async function converse(address: string, type: string, id: string, { wishes = "", count = 1 } = {}): Promise<string[]> {
  const [hostname, port] = address.split(":");
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const msh = `MSH|^~\\&|EHR|HOSP${id.length % 3}|WP|DC|20260101||${type}|${id}|P|2.5${wishes}`;
  const frame = `\x0b${msh}\rPID|1||77^^^MR||Doe^Jane\r\x1c\r`;
  await connection.write(new TextEncoder().encode(frame));
  let text = "";
  const buffer = new Uint8Array(4096);
  while (text.split("\x1c\r").length <= count) {
    const length = await within(15_000, "an answer", connection.read(buffer));
    if (length === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, length));
  }
  return text.split("\x1c\r").slice(0, -1).map((frame) => {
    const lines = frame.split("\r");
    const [msa, qak] = ["MSA", "QAK"].map((name) => lines.find((line) => line.startsWith(name)));
    return [lines[0].split("|")[8], msa, qak].filter((part) => part !== undefined).join(" ");
  });
}

Deno.test("MLLP, handled: a query is answered by its patient's handler, at every node; faults and mends are told", async () => {
  await withCluster({ names: THREE, mllp: { application: "handled" } }, async (cluster) => {
    const client = cluster.client();
    try {
      await deployPlugin(client, answersOf());
      for (const [i, { mllp }] of cluster.nodes.entries()) {
        assert.deepEqual(await converse(mllp, "ADT^A01", `a${i}`), [`ACK^A01 MSA|AA|a${i}`]);
        const answer = [`RSP^K22 MSA|AA|q${i} QAK||OK||${i + 1}`];
        assert.deepEqual(await converse(mllp, "QBP^Q22", `q${i}`), answer);
        assert.deepEqual(await converse(cluster.nodes[0].mllp, "QBP^Q22", `q${i}`), answer, "the same again");
      }
      const enhanced = { wishes: "|||AL|AL", count: 2 };
      assert.deepEqual(await converse(cluster.nodes[1].mllp, "QBP^Q22", "e1", enhanced), [
        "ACK^Q22 MSA|CA|e1",
        "RSP^K22 MSA|AA|e1 QAK||OK||3",
      ]);

      await deployPlugin(client, answersOf(`if (type === "ADT^A08") throw new Error("not yet");`));
      const [fault] = await converse(cluster.nodes[2].mllp, "ADT^A08", "b1");
      assert.match(fault, /^ACK\^A08 MSA\|AE\|b1\|plugin_host\/threw/);
      await deployPlugin(client, answersOf(`// mended`));
      assert.deepEqual(await converse(cluster.nodes[0].mllp, "ADT^A08", "b1"), ["ACK^A08 MSA|AA|b1"]);
    } finally {
      await stopBundler();
    }
  });
});
