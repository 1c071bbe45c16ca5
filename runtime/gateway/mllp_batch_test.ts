import assert from "node:assert/strict";
import { parseHl7, splitHl7Batch } from "../wire/mod.ts";
import { readBatch } from "./mllp_batch.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const one = (id: string) => `MSH|^~\\&|LAB|F|||||ADT^A08|${id}|P|2.5\rPID|||7\r`;
const ack = (id: string) => bytesOf(`MSH|^~\\&|WP\rMSA|AA|${id}\r`);
const ABOUT = { id: "k1", now: "20260101000000" };

Deno.test("mllp batch: a file is answered by a file, each batch by a batch, in order", () => {
  const batch = readBatch(bytesOf(
    `FHS|^~\\&|LAB|HOSPX|WP|DC|||file.hl7||f1\rBHS|^~\\&|LAB|HOSPX|WP|DC|||||b1\r${one("1")}${one("2")}BTS|2\r` +
      `BHS|^~\\&|LAB|HOSPX|WP|DC|||||b2\r${one("3")}BTS|1\rFTS|2\r`,
  ));
  assert.deepEqual(batch.messages.map((message) => parseHl7(message).controlId), ["1", "2", "3"]);
  assert.equal(batch.problem, "");
  assert.deepEqual(textOf(batch.answer([ack("1"), ack("2"), ack("3")], ABOUT)).split("\r"), [
    "FHS|^~\\&|WP|DC|LAB|HOSPX|20260101000000||||k1|f1",
    "BHS|^~\\&|WP|DC|LAB|HOSPX|20260101000000||||k1|b1",
    ...["MSH|^~\\&|WP", "MSA|AA|1", "MSH|^~\\&|WP", "MSA|AA|2"],
    "BTS|2",
    "BHS|^~\\&|WP|DC|LAB|HOSPX|20260101000000||||k1|b2",
    ...["MSH|^~\\&|WP", "MSA|AA|3"],
    "BTS|1",
    "FTS|2",
    "",
  ]);
});

Deno.test("mllp batch: what is missing is said, what is not wanted is left out", () => {
  const short = readBatch(bytesOf(`BHS#!~\\&#LAB########b9\r${one("1")}BTS#3\r`));
  assert.equal(short.problem, "1 messages came, BTS-1 says 3");
  const answer = textOf(short.answer([new Uint8Array(0)], ABOUT));
  const expected = "BHS|!~\\&|||LAB||20260101000000||||k1|b9\rBTS|0|1 messages came, BTS-1 says 3\r";
  assert.equal(answer, expected);
  assert.deepEqual(splitHl7Batch(answer).messages, []);
  const bare = readBatch(bytesOf(`FHS\r${one("1")}`));
  assert.equal(bare.messages.length, 1);
  assert.match(textOf(bare.answer([ack("1")], ABOUT)), /^FHS\|[^]*BHS\|[^]*MSA\|AA\|1\rBTS\|1\rFTS\|1\r$/);
  assert.equal(textOf(readBatch(bytesOf("BHS|")).answer([], ABOUT)).split("\r").length, 3);
});
