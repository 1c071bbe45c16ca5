import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeHl7, type Hl7Delimiters, Hl7View, parseHl7, parseHl7Path, readHl7Route, unescapeHl7 } from "./hl7.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const latin1 = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

const ADMIT = [
  "MSH|^~\\&|LAB|HOSPX^2.16^ISO|RCV|RFAC|20260101120000||ADT^A01^ADT_A01|77|P|2.5",
  "PID|1||1001^^^MRN&1.2&ISO~2002^^^NHS||O\\T\\Brien^Zo\\Xc3ab\\^^^Dr||19700101|F",
  'OBX|1|NM|GLU^Glucose||5.4|mmol/L|3.9-5.8|""',
  "OBX|2|TX|NOTE||line 1\\.br\\line 2|C:\\temp\\x",
  "ZBX|1|own",
].join("\r");

Deno.test("hl7: an example of every address", () => {
  const message = parseHl7(ADMIT);
  assert.equal(message.type, "ADT^A01");
  assert.equal(message.controlId, "77");
  assert.equal(message.get("MSH-1"), "|");
  assert.equal(message.get("MSH-2"), "^~\\&");
  assert.equal(message.get("MSH-4.1"), "HOSPX");
  assert.equal(message.get("MSH-12"), "2.5");
  assert.equal(message.get("PID-3.1"), "1001");
  assert.equal(message.get("PID-3[2].4"), "NHS");
  assert.equal(message.get("PID-3.4.2"), "1.2");
  assert.equal(message.get("PID-3[3].1"), "");
  assert.equal(message.count("PID-3"), 2);
  assert.equal(message.get("PID-5.1"), "O&Brien");
  assert.equal(message.raw("PID-5.1"), "O\\T\\Brien");
  assert.equal(message.get("PID-5.2"), "Zoë");
  assert.equal(message.get("PID-5"), "O&Brien^Zoë^^^Dr");
  assert.equal(message.get("OBX[2]-5"), "line 1\nline 2");
  assert.equal(message.get("OBX[2]-6"), "C:\\temp\\x", "what is no escape stays");
  assert.equal(message.get("OBX-8"), '""', "delete is not empty");
  assert.equal(message.get("OBX[3]-5"), "");
  assert.equal(message.first("ZBX")?.get("2"), "own");
  assert.deepEqual(message.all("OBX").map((obx) => obx.get("3.1")), ["GLU", "NOTE"]);
  assert.deepEqual(message.segments().map((segment) => segment.name), ["MSH", "PID", "OBX", "OBX", "ZBX"]);
  assert.equal(String(message), ADMIT);
  assert.equal(JSON.stringify({ message }), JSON.stringify({ message: ADMIT }));
});

Deno.test("hl7: a path that is none is the program's mistake, and says so", () => {
  for (const path of ["", "PID", "PID-0", "pid-3", "PID-3[0]", "PID-3.1.1.1", "PID-1234", "OBX-3-1"]) {
    assert.throws(() => parseHl7(ADMIT).get(path), TypeError, path);
  }
});

Deno.test("hl7: bytes are read by MSH-18, and by what they are where it lies", () => {
  const message = (charset: string) => `MSH|^~\\&|A|F|||||ADT^A08|1|P|2.5||||||${charset}\rPID|||9||M\xfcller`;
  assert.equal(parseHl7(latin1(message("8859/1"))).get("PID-5"), "Müller");
  assert.equal(parseHl7(latin1(message("ASCII"))).get("PID-5"), "Müller");
  assert.equal(parseHl7(latin1(message(""))).get("PID-5"), "Müller");
  assert.equal(parseHl7(bytesOf(message("ASCII"))).get("PID-5"), "Müller");
  assert.equal(parseHl7(bytesOf(message("UNICODE UTF-8"))).get("PID-5"), "Müller");
  assert.equal(parseHl7(latin1(message("8859/2").replace("M\xfcller", "\xa3\xf3d\xbc"))).get("PID-5"), "Łódź");
  assert.equal(parseHl7(latin1(message("nonsense"))).get("PID-5"), "Müller");
  const route = readHl7Route(latin1(message("8859/1").replace("||9||", "||\xe49||")));
  assert.equal(route.state === "ok" && route.route.id, "ä9");
});

Deno.test("hl7: the route names the actor, or why it does not", () => {
  const routed = readHl7Route(bytesOf(ADMIT));
  assert.deepEqual(routed, {
    state: "ok",
    route: { facility: "HOSPX", id: "1001", controlId: "77", type: "ADT^A01", sendingFacility: "HOSPX" },
  });
  const other = readHl7Route(bytesOf(ADMIT), { facility: "MSH-6", id: "PID-3[2].1" });
  assert.deepEqual(other.state === "ok" && [other.route.facility, other.route.id], ["RFAC", "2002"]);
  const codeOf = (text: string) => {
    const answer = readHl7Route(bytesOf(text));
    return answer.state === "ok" ? "ok" : answer.code;
  };
  assert.equal(codeOf(""), "wire/not-hl7");
  assert.equal(codeOf("MSH"), "wire/not-hl7");
  assert.equal(codeOf("MSHx^~\\&xA"), "wire/not-hl7");
  assert.equal(codeOf("MSH|^~\\&"), "wire/not-hl7");
  assert.equal(codeOf("FHS|^~\\&|A|F"), "wire/not-hl7");
  assert.equal(codeOf("MSH|^~\\&|A|F|"), "wire/no-key");
  assert.equal(codeOf('MSH|^~\\&|A|F|\rPID|||""'), "wire/no-key");
  assert.equal(codeOf("MSH|^~\\&|A||\rPID|||7"), "wire/no-key");
  assert.equal(codeOf("\uFEFF\r\nMSH|^~\\&|A|F|\nPID||| 7 ^x"), "ok");
  assert.throws(() => parseHl7("hello"), { code: "wire/not-hl7", outcome: "not-applied" });
});

const DELIMITERS: Hl7Delimiters[] = [
  { field: "|", component: "^", repetition: "~", escape: "\\", subcomponent: "&" },
  { field: "#", component: "!", repetition: "*", escape: "?", subcomponent: "%" },
];

/** A message as data: segments of fields of repetitions of components of subcomponents. */
const tree = fc.array(
  fc.tuple(
    fc.constantFrom("PID", "OBX", "ZZ1"),
    fc.array(
      fc.array(
        fc.array(fc.array(fc.string({ unit: "binary", maxLength: 4 }), { maxLength: 3 }), {
          maxLength: 3,
        }),
        { maxLength: 2 },
      ),
      { maxLength: 5 },
    ),
  ),
  { maxLength: 4 },
);

function write(segments: [string, string[][][][]][], d: Hl7Delimiters, lineEnd: string): string {
  const header = `MSH${d.field}${d.component}${d.repetition}${d.escape}${d.subcomponent}${d.field}A${d.field}F`;
  const lines = segments.map(([name, fields]) =>
    [
      name,
      ...fields.map((field) =>
        field.map((repetition) =>
          repetition.map((component) => component.map((value) => escapeHl7(value, d)).join(d.subcomponent))
            .join(d.component)
        ).join(d.repetition)
      ),
    ].join(d.field)
  );
  return [header, ...lines].join(lineEnd);
}

Deno.test("hl7: what was written is read at its address, whatever the delimiters and line ends", () => {
  fc.assert(
    fc.property(
      tree,
      fc.constantFrom(...DELIMITERS),
      fc.constantFrom("\r", "\n", "\r\n"),
      (segments, delimiters, lineEnd) => {
        const message = parseHl7(write(segments, delimiters, lineEnd));
        const seen: Record<string, number> = {};
        for (const [name, fields] of segments) {
          const occurrence = seen[name] = (seen[name] ?? 0) + 1;
          fields.forEach((field, f) =>
            field.forEach((repetition, r) =>
              repetition.forEach((component, c) =>
                component.forEach((value, s) => {
                  const path = `${name}[${occurrence}]-${f + 1}[${r + 1}].${c + 1}.${s + 1}`;
                  // a line end has one escape, so comes back as one
                  assert.equal(message.get(path), value.replace(/\r\n?/g, "\n"), path);
                })
              )
            )
          );
        }
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("hl7: the byte reader and the view find the same", () => {
  const soup = fc.stringMatching(/^[A1|^~\\&\r\nXFé ]{0,40}$/);
  fc.assert(
    fc.property(soup, soup, fc.constantFrom(...DELIMITERS), (head, tail, d) => {
      const prefix = `MSH${d.field}${d.component}${d.repetition}${d.escape}${d.subcomponent}${d.field}`;
      const text = `${prefix}${head}\rPID${d.field}${tail}`;
      const view = parseHl7(text);
      for (const id of ["PID-3.1", "PID-1", "PID-2[2].1.2", "MSH-2", "MSH-4.1", "MSH-5[2]"]) {
        const answer = readHl7Route(bytesOf(text), { facility: "MSH-3", id });
        const expected = [view.get("MSH-3"), view.get(id)].map((v) => v.trim() === '""' ? "" : v.trim());
        if (answer.state === "ok") {
          assert.deepEqual([answer.route.facility, answer.route.id], expected);
          assert.equal(answer.route.type, view.type);
          assert.equal(answer.route.controlId, view.controlId);
        } else assert.ok(expected.includes(""), `${answer.code} for ${JSON.stringify(text)}`);
      }
    }),
    { numRuns: 400 },
  );
});

Deno.test("hl7: hostile bytes are answered, never thrown at", () => {
  fc.assert(
    fc.property(fc.boolean(), fc.uint8Array({ maxLength: 200 }), (isHl7, tail) => {
      const bytes = isHl7 ? new Uint8Array([...bytesOf("MSH|^~\\&|A|F|"), ...tail]) : tail;
      const answer = readHl7Route(bytes);
      const view = Hl7View.read(new TextDecoder("latin1").decode(bytes));
      if (view === null) assert.equal(answer.state === "refused" && answer.code, "wire/not-hl7");
      view?.segments().forEach((segment) => segment.get(1));
    }),
    { numRuns: 300 },
  );
});

Deno.test("hl7: escaping is undone by unescaping, and leaves no delimiter", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...DELIMITERS), (text, d) => {
    const escaped = escapeHl7(text, d);
    assert.equal(unescapeHl7(escaped, d), text.replace(/\r\n?/g, "\n"));
    for (const c of [d.field, d.component, d.repetition, d.subcomponent, "\r", "\n"]) assert.ok(!escaped.includes(c));
  }));
  assert.equal(unescapeHl7("\\X\\ \\XZZ\\ \\Zlocal\\ \\"), "\\X\\ \\XZZ\\ \\Zlocal\\ \\");
  assert.equal(unescapeHl7("\\H\\bold\\N\\ \\Xe9\\"), "bold é");
});

Deno.test("hl7: the cache of paths is bounded", () => {
  for (let i = 1; i < 3000; i++) parseHl7Path(`PID-3[${i}].1`);
  assert.equal(parseHl7Path("PID-3[7].1").repetition, 7);
});
