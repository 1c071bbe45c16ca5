import assert from "node:assert/strict";
import fc from "fast-check";
import { acknowledgeHl7, buildAck, type Hl7AckCode, hl7Timestamp, Hl7View, newHl7, parseHl7 } from "./hl7.ts";

const AT = 1767225600000;
const textOf = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

Deno.test("build: a message from nothing", () => {
  const message = newHl7({
    type: "ORU^R01^ORU_R01",
    id: "m|1",
    at: AT,
    from: { application: "WP", facility: ["HOSPX", "1.2.3", "ISO"] },
    to: { application: "EHR" },
  }).add("PID", [1, "", ["1001", "", "", "MRN"]]).add("OBX", [1, "NM", ["718-7", "Hb"], "", 13.2]).done();
  assert.equal(
    message.text,
    "MSH|^~\\&|WP|HOSPX^1.2.3^ISO|EHR||20260101000000||ORU^R01^ORU_R01|m\\F\\1|P|2.5.1||||||UNICODE UTF-8\r" +
      "PID|1||1001^^^MRN\rOBX|1|NM|718-7^Hb||13.2\r",
  );
  assert.deepEqual([message.type, message.controlId, message.number("OBX-5")], ["ORU^R01", "m|1", 13.2]);
  const delimiters = { field: "#", component: "!", repetition: "*", escape: "?", subcomponent: "%" };
  const other = newHl7({ type: "ACK", id: "1", at: AT, delimiters, charset: "", version: "2.3", processing: "T" })
    .done();
  assert.equal(other.text, "MSH#!*?%#####20260101000000##ACK#1#T#2.3\r");
  for (const type of ["", "adt^A01", "ADT^A01^", "ADT A01", "ADT^A01^ADT_A01^X"]) {
    assert.throws(() => newHl7({ type, id: "1", at: AT }), TypeError, type);
  }
});

Deno.test("build: an acknowledgement names what was wrong, in the form of the version", () => {
  const message = (version: string) =>
    parseHl7(`MSH|^~\\&|LAB|HOSPX|EHR|HQ|x||ORU^R01|77|T|${version}||||||8859/1\rPID|1`);
  const answer = {
    code: "AE",
    id: "a1",
    at: AT,
    problems: [{ code: 103, path: "OBX[2]-5.1", text: "a|b" }, { code: 207 }],
  } as const;
  assert.deepEqual(acknowledgeHl7(message("2.5"), answer).done().text.split("\r"), [
    "MSH|^~\\&|EHR|HQ|LAB|HOSPX|20260101000000||ACK^R01|a1|T|2.5||||||8859/1",
    "MSA|AE|77",
    "ERR||OBX^2^5^1^1|103^Table value not found^HL70357|E||||a\\F\\b",
    "ERR|||207^Application internal error^HL70357|E",
    "",
  ]);
  assert.deepEqual(acknowledgeHl7(message("2.3.1"), answer).done().text.split("\r").slice(2, 4), [
    "ERR|OBX^2^5^103&Table value not found&HL70357",
    "ERR|^^^207&Application internal error&HL70357",
  ]);
});

Deno.test("build: for any header it is the acknowledgement that the listener builds from the bytes", () => {
  const codes = fc.constantFrom<Hl7AckCode>("AA", "AE", "AR", "CA", "CE", "CR");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), codes, (tail, code) => {
    const bytes = new Uint8Array([
      ...new TextEncoder().encode("MSH|^~\\&|A|F|B|G|x||ADT^A08|"),
      ...tail.filter((b) => b < 127),
    ]);
    const view = Hl7View.read(textOf(bytes)) as Hl7View;
    const isBad = code[1] !== "A";
    const problems = isBad ? [{ code: 101, text: "why" }] : [];
    const mine = acknowledgeHl7(view, { code, id: "k", at: AT, text: isBad ? "why" : "", problems }).done();
    const theirs = parseHl7(
      textOf(
        buildAck({ message: bytes, code, text: isBad ? "why" : "", errorCode: 101, now: hl7Timestamp(AT), id: "k" }),
      ),
    );
    assert.equal(mine.segments().length, theirs.segments().length);
    mine.segments().forEach((segment, i) => assert.equal(trimmed(segment.text), trimmed(theirs.segments()[i].text)));
  }));
});

const trimmed = (segment: string) => segment.replace(/\|+$/, "");
