import assert from "node:assert/strict";
import { PluginContext } from "./plugin_context.ts";

/** A bundle whose `run` answers what `expression` is, as text. */
function ask(expression: string): string {
  const about = JSON.stringify({ abi: 1, name: "probe", actorKind: "patient", problem: "" });
  const context = new PluginContext(
    `module.exports.default={about:()=>${JSON.stringify(about)},arm(){},stage(){},open(){},close(){},remember(){},` +
      `run(){try{return String(${expression})}catch(e){return "threw "+e.name+": "+e.message}}}`,
    "probe",
  );
  return context.run(1, [], "", "{}", 200) ?? "deadline";
}

Deno.test("inside a context there is ECMAScript and nothing else", () => {
  const names = "Deno process require fetch setTimeout setInterval queueMicrotask performance crypto WebAssembly " +
    "SharedArrayBuffer Atomics WeakRef FinalizationRegistry Buffer navigator global window";
  for (const name of names.split(" ")) assert.equal(ask(`typeof ${name}`), "undefined", name);
  assert.equal(ask("JSON.stringify([new Map().size, 'a'.toUpperCase(), Math.max(1, 2)])"), '[0,"A",2]');
});

Deno.test("clock and chance refuse with a word of what to use", () => {
  const refused = [
    "Date.now()",
    "new Date()",
    "Date()",
    "new Date(0).constructor.now()",
    "Math.random()",
    "new Intl.DateTimeFormat().format()",
    "new Intl.DateTimeFormat().formatToParts()",
    "Promise.resolve().then(() => {})",
    "typeof Temporal === 'undefined' ? Math.random() : Temporal.Now.instant()",
  ];
  for (const expression of refused) {
    assert.match(ask(expression), /^threw Error: Cannot use .* message\.at/, expression);
  }
  assert.equal(
    ask("Math.random = () => 4"),
    "threw TypeError: Cannot assign to read only property 'random' of object '#<Object>'",
  );
});

Deno.test("a date that is given works as ever", () => {
  assert.equal(ask("new Date(0).toISOString()"), "1970-01-01T00:00:00.000Z");
  assert.equal(ask("new Date(2026, 0, 1) instanceof Date"), "true");
  assert.equal(ask("new (class extends Date {})(5).getTime() + Date.UTC(1970, 0, 1)"), "5");
  assert.equal(ask("new Intl.DateTimeFormat('en-US', { timeZone: 'UTC' }).format(new Date(0))"), "1/1/1970");
});

Deno.test("code from strings is refused, console is silent", () => {
  assert.match(ask("eval('1')"), /^threw EvalError/);
  assert.match(ask("new Function('return 1')()"), /^threw EvalError/);
  assert.match(ask("ask.constructor.constructor('return globalThis')()".replaceAll("ask", "JSON")), /^threw EvalError/);
  assert.equal(ask("console.log('x')"), "undefined");
});

Deno.test("a loop meets the deadline, and the next call a new context", () => {
  const about = JSON.stringify({ abi: 1, name: "probe", actorKind: "patient", problem: "" });
  const context = new PluginContext(
    `let n=0;module.exports.default={about:()=>${
      JSON.stringify(about)
    },arm(s,p){this.p=p},stage(){},open(){},close(){},` +
      `remember(){},run(){n++;if(this.p==="loop")for(;;);return "n"+n}}`,
    "probe",
  );
  assert.equal(context.run(1, [], "", "{}", 200), "n1");
  assert.equal(context.run(1, [], "loop", "{}", 20), null);
  assert.equal(context.generation, 1);
  assert.equal(context.run(1, [], "", "{}", 200), "n1");
});

Deno.test("what is no bundle of ours is refused", () => {
  const refused: [string, RegExp][] = [
    ["syntax error", /Unexpected identifier/],
    ["throw new Error('at load')", /at load/],
    ["for(;;);", /longer than 1000 ms/],
    ["module.exports.default = 1", /no bundle of this version/],
    ['module.exports.default={about:()=>\'{"abi":1,"problem":"its name is wrong"}\'}', /its name is wrong/],
  ];
  for (const [source, message] of refused) {
    assert.throws(() => new PluginContext(source, "probe"), { code: "plugin_host/not-a-plugin", message });
  }
});
