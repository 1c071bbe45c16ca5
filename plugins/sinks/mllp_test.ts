import assert from "node:assert/strict";
import fc from "fast-check";
import { mllpSink } from "./mllp.ts";
import { AnswerReader, cannotBeFramed, framed } from "./mllp_frames.ts";
import { type LaneConnection, MllpLane } from "./mllp_lane.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("mllp sink: frames come out as they went in, however the stream was cut", () => {
  const message = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) =>
    bytes.filter((b) => b !== 0x1c && b !== 0x0b)
  );
  fc.assert(fc.property(fc.array(message), fc.integer({ min: 1, max: 9 }), (messages, size) => {
    const stream = Uint8Array.from(messages.flatMap((bytes) => [65, ...framed(bytes), 10]));
    const reader = new AnswerReader(1000);
    const answers: Uint8Array[] = [];
    for (let at = 0; at < stream.length; at += size) answers.push(...reader.push(stream.subarray(at, at + size)));
    assert.deepEqual(answers, messages);
  }));
  assert.throws(() => new AnswerReader(10).push(new Uint8Array(11)), RangeError);
  assert.deepEqual(new AnswerReader(10).push(bytesOf("\x0blost\x0bkept\x1c\r")).map(textOf), ["kept"]);
  assert.ok(cannotBeFramed(bytesOf("a\x1cb")) && !cannotBeFramed(bytesOf("a\x0bb")));
});

/** A receiver in memory: what it was sent, and a way to say something. */
function receiver() {
  const sent: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  let onRead: ((bytes: Uint8Array | null) => void) | null = null;
  const connection: LaneConnection = {
    read: (into) =>
      new Promise((done) =>
        onRead = (bytes) => {
          if (bytes !== null) into.set(bytes);
          done(bytes === null ? null : bytes.length);
        }
      ),
    write: (bytes) => {
      sent.push(textOf(bytes.subarray(1, -2)));
      return Promise.resolve(bytes.length);
    },
    close: resolve,
  };
  const say = (text: string | null) => onRead?.(text === null ? null : framed(bytesOf(text)));
  return { connection, sent, say, closed: promise };
}

const said = (answer: Uint8Array) => ({ value: textOf(answer), isOutOfStep: textOf(answer) === "?" });

const settled = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

Deno.test("mllp sink: a lane sends one at a time, and takes each answer for the message before it", async () => {
  const { connection, sent, say, closed } = receiver();
  const connections = [connection];
  const connect = () =>
    connections.length > 0 ? Promise.resolve(connections.pop()!) : Promise.reject(new Error("no more"));
  const lane = new MllpLane<string>(connect, { answerMs: 1000, waitMs: 1000 });
  const ends = ["a", "b"].map((text) =>
    lane.exchange(bytesOf(text), (answer) => textOf(answer) === "wait" ? undefined : said(answer))
  );
  await settled();
  assert.deepEqual(sent, ["a"]);
  say("wait");
  await settled();
  assert.deepEqual(sent, ["a"]);
  say("AA a");
  await settled();
  assert.deepEqual([await ends[0], sent], [{ state: "answered", value: "AA a" }, ["a", "b"]]);
  const third = lane.exchange(bytesOf("c"), said);
  say("?");
  assert.deepEqual(await ends[1], { state: "answered", value: "?" });
  await closed;
  await settled();
  assert.deepEqual(sent, ["a", "b"], "after an answer that does not fit nothing more goes over this connection");
  assert.equal((await third).state, "failed");
});

Deno.test("mllp sink: when a connection breaks, what waits before it fails at once, and the next makes a new one", async () => {
  const receivers = [receiver(), receiver()];
  let connections = 0;
  const lane = new MllpLane<string>(() => Promise.resolve(receivers[connections++].connection), {
    answerMs: 1000,
    waitMs: 1000,
  });
  const ends = ["a", "b", "c"].map((text) => lane.exchange(bytesOf(text), said));
  await settled();
  receivers[0].say(null);
  for (const end of await Promise.all(ends)) {
    assert.deepEqual(end, { state: "failed", code: "mllp/broken", text: "the receiver has closed the connection" });
  }
  await receivers[0].closed;
  assert.deepEqual(receivers[0].sent, ["a"]);
  const end = lane.exchange(bytesOf("d"), said);
  await settled();
  receivers[1].say("AA d");
  assert.deepEqual([await end, receivers[1].sent], [{ state: "answered", value: "AA d" }, ["d"]]);
});

Deno.test("mllp sink: where no connection can be had, all that waits learns it, and for a second nothing is tried", async () => {
  let tried = 0;
  const lane = new MllpLane<string>(() => Promise.reject(new Error(`refused ${++tried}`)), {
    answerMs: 1000,
    waitMs: 1000,
  });
  const ends = await Promise.all(["a", "b"].map((text) => lane.exchange(bytesOf(text), said)));
  const later = await lane.exchange(bytesOf("c"), said);
  assert.deepEqual([...ends, later].map((end) => end.state === "failed" && `${end.code} ${end.text}`), [
    "mllp/unreachable no connection: refused 1",
    "mllp/unreachable no connection: refused 1",
    "mllp/unreachable a moment ago no connection could be made",
  ]);
  assert.equal(tried, 1);
});

Deno.test("mllp sink: it may do what it needs, and wrong options are refused where it is defined", () => {
  const sink = mllpSink({
    host: "::1",
    port: 2575,
    tls: { ca: { file: "/ca.pem" }, cert: { file: "/c.pem" }, key: { env: "KEY" } },
  });
  assert.deepEqual(sink.permissions, { net: ["[::1]:2575"], read: ["/ca.pem", "/c.pem"], env: ["KEY"] });
  assert.deepEqual([sink.name, sink.plugin, sink.batchMax], ["mllp", "sink", 4]);
  for (
    const wrong of [{ port: 0 }, { port: 1.5 }, { host: "a b" }, { host: "" }, { connections: 65 }, { answerMs: 1 }, {
      tls: { cert: { file: "/c.pem" } },
    }]
  ) assert.throws(() => mllpSink({ host: "a", port: 1, ...wrong }), TypeError);
});
