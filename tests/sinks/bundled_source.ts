/**
 * A source in a process of its own, and what stands in for the cluster: it records what the source sends, each id of an
 * actor once, and keeps its cursor, over any number of the source's lives.
 */
import { PluginProcess } from "./plugin_process.ts";

/** A message that was recorded. */
export interface Recorded {
  /** `kind/facility/id` */
  key: string;
  id: string;
  type: string;
  text: string;
}

/** A cluster's memory, without the cluster. */
export class Records {
  readonly all: Recorded[] = [];
  /** how often something came that was there already */
  duplicates = 0;
  cursor: unknown = null;
  /** What it says of a message instead of recording it. */
  refusal: (message: Recorded) => { code: string; outcome: string } | null = () => null;
  /** called after each that is recorded, before the source hears of it */
  onRecorded: (count: number) => void | Promise<void> = () => {};
  readonly #texts = new Map<string, string>();

  async take(sent: { key: Record<string, string>; id: string; type?: string; base64: string }) {
    const { kind = "patient", facility, id } = sent.key;
    const key = `${kind}/${facility}/${id}`;
    const text = new TextDecoder().decode(Uint8Array.fromBase64(sent.base64));
    const message = { key, id: sent.id, type: sent.type ?? "", text };
    const refusal = this.refusal(message);
    if (refusal !== null) return { error: refusal };
    const name = JSON.stringify([key, sent.id]);
    const before = this.#texts.get(name);
    if (before !== undefined && before !== text) {
      return { error: { code: "mailroom/conflict", outcome: "not-applied" } };
    }
    if (before === undefined) {
      this.#texts.set(name, text);
      this.all.push(message);
      await this.onRecorded(this.all.length);
    } else this.duplicates++;
    return { answer: { id: sent.id, seq: this.all.length, duplicate: before !== undefined } };
  }
}

/** A running source. */
export class BundledSource implements AsyncDisposable {
  readonly process: PluginProcess;
  readonly #records: Records;
  /** why it ended by itself, so far */
  failed: string | null = null;

  private constructor(process: PluginProcess, records: Records) {
    this.process = process;
    this.#records = records;
    this.#serve();
  }

  /** @param text of the plugin's module */
  static async start(text: string, records: Records, env: Record<string, string> = {}): Promise<BundledSource> {
    return new BundledSource(await PluginProcess.start(text, "./source_child.ts", env), records);
  }

  kill(): Promise<void> {
    return this.process.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.process.end();
  }

  async #serve(): Promise<void> {
    for await (const { call, send, keep, cursor, failed } of this.process.lines()) {
      if (failed !== undefined) this.failed = failed as string;
      else if (send !== undefined) this.#answer(call, this.#records.take(send as Parameters<Records["take"]>[0]));
      else if (cursor === true) this.#answer(call, Promise.resolve({ answer: this.#records.cursor }));
      else {
        this.#records.cursor = keep;
        this.#answer(call, Promise.resolve({ answer: null }));
      }
    }
  }

  async #answer(call: unknown, answer: Promise<Record<string, unknown>>): Promise<void> {
    await this.process.write({ call, ...await answer }).catch(() => {});
  }
}

/** Waits until something is so. */
export async function until(msMax: number, what: string, question: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + msMax;
  while (!await question()) {
    if (performance.now() > endMs) throw new Error(`Not so within ${msMax} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
