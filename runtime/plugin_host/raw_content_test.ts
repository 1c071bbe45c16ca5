import assert from "node:assert/strict";
import { rawOf } from "./raw_content.ts";

const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const message = (charset: string) =>
  latin1(`MSH|^~\\&|A|F|||||ADT^A08|1|P|2.5||||||${charset}\rPID|||9||\xa3\xf3d\xbc`);
const HL7 = "x-application/hl7-v2+er7";

Deno.test("raw: HL7 is decoded by MSH-18, else by what its listener was told, else by what the bytes are", () => {
  const nameIn = (contentType: string, charset: string) => rawOf(contentType, message(charset)).split("|").at(-1);
  assert.equal(nameIn(HL7, "8859/2"), "Łódź");
  assert.equal(nameIn(`${HL7}; charset=8859/2`, ""), "Łódź");
  assert.equal(nameIn(`${HL7}; charset=8859/2`, "8859/1"), "£ód¼");
  assert.equal(nameIn(HL7, ""), "£ód¼");
  assert.equal(nameIn(`${HL7}; charset=nonsense`, ""), "£ód¼");
  assert.equal(rawOf(`${HL7}; charset=8859/2`, latin1("no HL7 \xa3")), "no HL7 Ł");
});
