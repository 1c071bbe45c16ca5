/**
 * Server-sent events, read from a byte stream. Source: the HTML standard, "Interpreting an event stream".
 */

/** One event. */
export interface ServerSentEvent {
  /** `message` where nothing was said */
  event: string;
  /** the last id seen; `""` before the first */
  id: string;
  /** the data lines, joined by line feeds */
  data: string;
}

/** The longest event that is taken, in UTF-16 units: a message's limit in base64, and some room. */
const EVENT_UNITS_MAX = 4 << 20;

/** The events in a stream, until it or `signal` ends; comments (heartbeats) come as events named `comment`, so that silence can be told apart. */
export async function* eventsIn(
  stream: ReadableStream<Uint8Array>,
  signal?: AbortSignal,
): AsyncGenerator<ServerSentEvent> {
  let rest = "";
  let id = "";
  let event = "";
  let data: string[] = [];
  const decoder = new TextDecoderStream() as TransformStream<Uint8Array, string>;
  for await (const text of stream.pipeThrough(decoder, { signal })) {
    rest += text;
    if (rest.length > EVENT_UNITS_MAX) throw new RangeError("an event is too long");
    // a CR at the end may be half of a CRLF
    const whole = rest.endsWith("\r") ? rest.length - 1 : rest.length;
    const lines = rest.slice(0, whole).split(/\r\n|\n|\r/);
    rest = lines.pop()! + rest.slice(whole);
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield { event: event || "message", id, data: data.join("\n") };
        event = "";
        data = [];
        continue;
      }
      if (line.startsWith(":")) {
        yield { event: "comment", id, data: line.slice(1).trim() };
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") data.push(value);
      else if (field === "event") event = value;
      else if (field === "id" && !value.includes("\0")) id = value;
    }
  }
}
