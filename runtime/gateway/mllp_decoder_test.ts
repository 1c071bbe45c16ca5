import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeMllp, MllpDecoder, type MllpEvent } from "./mllp_decoder.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const messagesOf = (events: MllpEvent[]) => events.map((e) => e.state === "message" ? textOf(e.bytes) : "too large");

function decode(text: string, bytesMax = 1000): { messages: string[]; garbage: number } {
  const decoder = new MllpDecoder(bytesMax);
  return { messages: messagesOf(decoder.push(bytesOf(text))), garbage: decoder.garbageBytes };
}

Deno.test("mllp: examples of what senders do", () => {
  assert.deepEqual(decode("\vMSH|a\r\x1c\r\vMSH|b\x1c\r"), { messages: ["MSH|a\r", "MSH|b"], garbage: 0 });
  assert.deepEqual(decode("\vMSH|a\x1c\vMSH|b\x1c"), { messages: ["MSH|a", "MSH|b"], garbage: 0 }, "no CR after FS");
  assert.deepEqual(decode("\v\vMSH|a\x1c\r"), { messages: ["MSH|a"], garbage: 1 }, "doubled VT");
  assert.deepEqual(decode("noise\vMSH|a\x1c\r\r\nmore\vMSH|b\x1c"), { messages: ["MSH|a", "MSH|b"], garbage: 9 });
  assert.deepEqual(decode("\vMSH|cut\vMSH|b\x1c\r"), { messages: ["MSH|b"], garbage: 8 }, "FS was lost");
  assert.deepEqual(decode("\vMSH|a\rOBX|line\vline\x1c\r"), { messages: ["MSH|a\rOBX|line\vline"], garbage: 0 });
  assert.deepEqual(decode("\v\x1c\r"), { messages: [""], garbage: 0 });
});

Deno.test("mllp: what is too large is told by its head, and the next message is read", () => {
  const decoder = new MllpDecoder(1500);
  const large = "MSH|" + "x".repeat(5000);
  const events = [...encodeMllp(bytesOf(large)), ...encodeMllp(bytesOf("MSH|b"))]
    .flatMap((byte) => decoder.push(Uint8Array.of(byte)));
  assert.deepEqual(messagesOf(events), ["too large", "MSH|b"]);
  assert.equal(events[0].state === "too-large" && textOf(events[0].head), large.slice(0, 1024));
  assert.deepEqual(decode(`\v${large}\x1c\vMSH|b\x1c`, 1500).messages, ["too large", "MSH|b"]);
  assert.deepEqual(decode(`\v${"y".repeat(1500)}\x1c`, 1500).messages, ["y".repeat(1500)]);
});

Deno.test("mllp: messages come out as they went in, however the stream is cut", () => {
  const message = fc.stringMatching(/^MSH[|a-zA-Z0-9\r\né\v]{0,30}$/).filter((text) => !text.includes("\vMSH"));
  const between = fc.constantFrom("", "\r", "\r\n", "garbage", "\x1c");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(message, between, fc.boolean()), { maxLength: 6 }),
      fc.array(fc.nat(8), { minLength: 1, maxLength: 10 }),
      (parts, cuts) => {
        const stream = bytesOf(
          parts.map(([text, noise, closed]) => `\v${text}\x1c${closed ? "\r" : ""}${noise}`).join(""),
        );
        const decoder = new MllpDecoder(64);
        const events: MllpEvent[] = [];
        const buffer = new Uint8Array(16);
        for (let at = 0, i = 0; at < stream.length; i++) {
          const part = stream.subarray(at, at + cuts[i % cuts.length] + 1);
          buffer.set(part);
          events.push(...decoder.push(buffer.subarray(0, part.length)));
          buffer.fill(0); // the reader uses its buffer again
          at += part.length;
        }
        assert.deepEqual(messagesOf(events), parts.map(([text]) => text));
        const noise = parts.reduce((sum, [, n]) => sum + n.replace(/[\r\n]/g, "").length, 0);
        assert.equal(decoder.garbageBytes, noise);
      },
    ),
    { numRuns: 300 },
  );
});
