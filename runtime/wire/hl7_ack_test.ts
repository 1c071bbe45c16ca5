import assert from "node:assert/strict";
import fc from "fast-check";
import { buildAck, isAck } from "./hl7_ack.ts";
import { hl7Timestamp, parseHl7 } from "./hl7.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
const NOW = "20260101120000";

Deno.test("ack: an example", () => {
  const message = bytesOf(
    "MSH|^~\\&|LAB|HOSPX|RCV|RFAC|20260101||ADT^A01^ADT_A01|77|T|2.5.1||||||UNICODE UTF-8\rPID|||1",
  );
  assert.equal(
    textOf(buildAck({ message, code: "AA", now: NOW, id: "k1" })),
    "MSH|^~\\&|RCV|RFAC|LAB|HOSPX|20260101120000||ACK^A01^ACK|k1|T|2.5.1||||||UNICODE UTF-8\rMSA|AA|77\r",
  );
  assert.equal(
    textOf(buildAck({ message, code: "AR", now: NOW, id: "k2", text: "no | key", errorCode: 101 })),
    "MSH|^~\\&|RCV|RFAC|LAB|HOSPX|20260101120000||ACK^A01^ACK|k2|T|2.5.1||||||UNICODE UTF-8\r" +
      "MSA|AR|77|no \\F\\ key\rERR|||101^Required field missing^HL70357|E||||no \\F\\ key\r",
  );
});

Deno.test("ack: in the sender's delimiters and version; to what is not HL7, in the usual ones", () => {
  const old = bytesOf("MSH#!*?%#LAB#HOSPX###x##ORU!R01#9##2.3");
  assert.equal(
    textOf(buildAck({ message: old, code: "AE", now: NOW, id: "k", text: "busy" })),
    "MSH#!*?%###LAB#HOSPX#20260101120000##ACK!R01#k#P#2.3\rMSA#AE#9#busy\r" +
      "ERR#!!!207%Application internal error%HL70357\r",
  );
  assert.equal(
    textOf(buildAck({ message: bytesOf("GET / HTTP/1.1"), code: "AR", now: NOW, id: "k", errorCode: 100 })),
    "MSH|^~\\&|||||20260101120000||ACK|k|P|2.5\rMSA|AR|\rERR|||100^Segment sequence error^HL70357|E||||\r",
  );
  assert.ok(isAck(buildAck({ message: old, code: "AA", now: NOW, id: "k" })));
  assert.ok(!isAck(old));
  assert.equal(hl7Timestamp(1767225600000), "20260101000000");
});

Deno.test("ack: for any message its own control id comes back, byte by byte, and the answer is well-formed", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: "binary" }), (tail, text) => {
    const message = new Uint8Array([...bytesOf("MSH|^~\\&|A|F|B|G|x||ADT^A08|"), ...tail]);
    const ack = textOf(buildAck({ message, code: "AE", now: NOW, id: "k", text }));
    const sent = textOf(message).split(/[\r\n]/)[0].split("|")[9] ?? "";
    const lines = ack.split("\r");
    assert.equal(lines.length, 4);
    assert.equal(lines[1].split("|")[2], sent);
    assert.equal(parseHl7(ack).get("MSA-3"), text.slice(0, 200).replace(/[^\x20-\x7e]/g, "?"));
  }));
});
