/**
 * What an HL7 line may bring to a real node: frames in pieces, frames in a bunch, noise between them, messages that are
 * none. What can be recorded is recorded as it came and answered AA; what never can be is answered AR; noise is nothing.
 */
import assert from "node:assert/strict";
import { withCluster } from "./cluster_of_processes.ts";
import type { NodeChild } from "./node_child.ts";
import { within } from "./waiting.ts";

const VT = "\x0b";
const END = "\x1c\r";
const ENCODER = new TextEncoder();
const MESSAGE_BYTES_MAX = 1024 * 1024;

let controlId = 0;

/** A message of patient `id`, its segments ended by `ends`. */
function hl7(id: string, options: { ends?: string; last?: string; more?: string } = {}): string {
  const { ends = "\r", last = ends, more = "" } = options;
  const msh = `MSH|^~\\&|EHR|BAD|WP|DC|20260101120000||ADT^A01|c${++controlId}|P|2.5`;
  return [msh, "EVN|A01|20260101120000", `PID|1||${id}^^^MRN||Doe^Jane${more}`].join(ends) + last;
}

/** A connection whose answers are read one by one. */
class Wire implements Disposable {
  readonly #connection: Deno.TcpConn;
  #read = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async to({ mllp }: NodeChild): Promise<Wire> {
    const [hostname, port] = mllp.split(":");
    return new Wire(await Deno.connect({ hostname, port: Number(port) }));
  }

  async write(...parts: (string | Uint8Array)[]): Promise<void> {
    for (const part of parts) {
      const bytes = typeof part === "string" ? ENCODER.encode(part) : part;
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
    }
  }

  /** The next answer as `AA c7`, behind it what MSA-3 says; null when the node hangs up. */
  async answer(): Promise<string | null> {
    const buffer = new Uint8Array(4096);
    while (!this.#read.includes(END)) {
      const length = await within(10_000, "an answer, or the end", this.#connection.read(buffer));
      if (length === null) return null;
      this.#read += new TextDecoder().decode(buffer.subarray(0, length));
    }
    const [frame] = this.#read.split(END, 1);
    this.#read = this.#read.slice(frame.length + END.length);
    const [, code, id = "", text = ""] = /\rMSA\|(\w\w)\|?([^|\r]*)\|?([^|\r]*)/.exec(frame)!;
    return [code, id, text].join(" ").trimEnd();
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // the node was first
    }
  }
}

Deno.test("over MLLP: odd frames are understood, bad messages refused for ever, noise survived", async () => {
  await withCluster({ names: ["TN-A-1"] }, async (cluster) => {
    const [node] = cluster.nodes;
    const recorded = new Map<string, string[]>();
    const expect = (id: string, text: string) => void recorded.set(id, [...recorded.get(id) ?? [], text]);
    const idOf = (text: string) => text.split("|")[9];

    {
      using wire = await Wire.to(node);
      // one byte at a time; two in one write, the second without its last CR; LF as line ends; a line break inside
      const split = hl7("split");
      for (const byte of ENCODER.encode(VT + split + END)) await wire.write(Uint8Array.of(byte));
      expect("split", split);
      assert.equal(await wire.answer(), `AA ${idOf(split)}`);

      const [first, second] = [hl7("joined"), hl7("joined", { last: "" })];
      await wire.write(VT + first + END + VT + second + "\x1c");
      expect("joined", first);
      expect("joined", second);
      assert.deepEqual([await wire.answer(), await wire.answer()], [`AA ${idOf(first)}`, `AA ${idOf(second)}`]);

      const lines = hl7("lines", { ends: "\n" });
      const vertical = hl7("lines", { more: "^\x0bnote" });
      await wire.write(`\r\n\r\nhello?\r\n${VT}${lines}${END}GET / HTTP/1.1\r\n\0\xff${VT}${vertical}${END}\r\n`);
      expect("lines", lines);
      expect("lines", vertical);
      assert.deepEqual([await wire.answer(), await wire.answer()], [`AA ${idOf(lines)}`, `AA ${idOf(vertical)}`]);

      // a frame whose end was lost: the next one begins, and is what counts
      const whole = hl7("whole");
      await wire.write(VT + hl7("lost").slice(0, 80) + VT + whole + END);
      expect("whole", whole);
      assert.equal(await wire.answer(), `AA ${idOf(whole)}`);
    }

    {
      using wire = await Wire.to(node);
      const bad: [string, RegExp][] = [
        ["", /^AR/],
        ["hello", /^AR.*wire\/not-hl7/],
        ["MSH", /^AR.*wire\/not-hl7/],
        ["PID|1||1\rMSH|^~\\&|A|B\r", /^AR.*wire\/not-hl7/],
        ["MSH|^~\\&|EHR|BAD|||2026||ADT^A01|nopid|P|2.5\rEVN|A01\r", /^AR nopid.*wire\/no-key/],
        ["MSH|^~\\&|EHR||||2026||ADT^A01|nofac|P|2.5\rPID|1||7\r", /^AR nofac.*wire\/no-key/],
        ['MSH|^~\\&|EHR|BAD|||2026||ADT^A01|null|P|2.5\rPID|1||""\r', /^AR null.*wire\/no-key/],
        [hl7("x".repeat(201)), /^AR c\d+.*key/],
        [hl7("a\x01b"), /^AR c\d+.*key/],
        [hl7("big", { more: "x".repeat(MESSAGE_BYTES_MAX) }), /^AR c\d+.*gateway\/too-large/],
        [`MSH|^~\\&|EHR|BAD|||2026||ADT^A01|${"i".repeat(300)}|P|2.5\rPID|1||7\r`, /^AR i+.*gateway\/bad-id/],
      ];
      for (const [text, answer] of bad) {
        await wire.write(VT, text, END);
        assert.match(await wire.answer() ?? "", answer, text.slice(0, 60));
      }
      // what was refused does not stand in the way of what comes
      const after = hl7("after");
      await wire.write(VT + after + END);
      expect("after", after);
      assert.equal(await wire.answer(), `AA ${idOf(after)}`);

      // the same id twice is one message; with other bytes it is refused
      const other = after.replace("Jane", "Joan");
      await wire.write(VT + after + END + VT + other + END);
      assert.equal(await wire.answer(), `AA ${idOf(after)}`);
      assert.match(await wire.answer() ?? "", /^AR c\d+ gateway\/mllp-conflict/);

      // enhanced mode: kept, and with what handlers see; a batch: each message by itself, one answer
      const enhanced = hl7("after").replace("|P|2.5", "|P|2.5|||AL|AL");
      await wire.write(VT + enhanced + END);
      expect("after", enhanced);
      assert.deepEqual([await wire.answer(), await wire.answer()], [`CA ${idOf(enhanced)}`, `AA ${idOf(enhanced)}`]);
      const batch = [hl7("batch"), hl7("batch"), hl7("after")];
      await wire.write(`${VT}BHS|^~\\&|EHR|BAD|||||||b1\r${batch.join("")}BTS|3\r${END}`);
      for (const [i, text] of batch.entries()) expect(i < 2 ? "batch" : "after", text);
      assert.equal(await wire.answer(), `AA ${idOf(batch[0])}`);

      // an acknowledgement is not answered, or two machines would thank each other for ever
      const last = hl7("after");
      await wire.write(`${VT}MSH|^~\\&|A|B|||2026||ACK|1|P|2.5\rMSA|AA|1\r${END}${VT}${last}${END}`);
      expect("after", last);
      assert.equal(await wire.answer(), `AA ${idOf(last)}`);
    }

    {
      using babbling = await Wire.to(node);
      await babbling.write(new Uint8Array(100_000).fill(0x41)).catch(() => {});
      assert.equal(await babbling.answer().catch(() => null), null, "who does not speak MLLP is hung up on");
      using leaving = await Wire.to(node);
      await leaving.write(VT + hl7("never").slice(0, 60));
    }

    const client = cluster.client();
    for (const [id, texts] of recorded) {
      const { events } = await client.history({ facility: "BAD", id });
      assert.deepEqual(events.map((event) => event.body), texts, `${id}: as it came`);
    }
    const { actors } = await client.actors();
    assert.deepEqual(actors.map((actor) => actor.key), [...recorded.keys()].map((id) => `patient/BAD/${id}`).sort());
    assert.equal(cluster.alive.length, 1);
  });
});
