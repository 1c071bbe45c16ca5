/**
 * The messages of Google's Simulated Hospital (Apache-2.0): 1,013 messages of 403 patients, which a machine may have
 * beside the project. Tests that want them skip without, and say so.
 */
const FILE = new URL("../../../shared/data/simhospital/messages.out", import.meta.url);

/** The raw messages, or null on a machine without them (or without the permission to read them). */
export function simhospitalMessages(): Uint8Array[] | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(FILE);
  } catch {
    return null;
  }
  const encoder = new TextEncoder();
  return text.split("\n\n").filter((message) => message !== "").map((message) => encoder.encode(message));
}

/** Runs `fn` with the messages; without them the test is skipped and the reason printed. */
export function testWithSimhospital(name: string, fn: (messages: Uint8Array[]) => void | Promise<void>): void {
  const messages = simhospitalMessages();
  if (messages === null) console.error(`skipped: ${name}: cannot read ../shared/data/simhospital/messages.out`);
  Deno.test({ name, ignore: messages === null, fn: () => fn(messages as Uint8Array[]) });
}
