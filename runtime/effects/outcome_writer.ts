import { pack } from "../wire/mod.ts";
import type { OutcomeItem } from "./outcome_entry.ts";

/**
 * Lays OUTCOMES out, byte for byte as `pack` would, without making a list of each item. Effects may be packed already:
 * whoever wanted to know their size has done it.
 */
export class OutcomeWriter {
  #bytes = new Uint8Array(64 * 1024);
  #at = 0;

  /** The entry's body. */
  write(items: readonly OutcomeItem[]): Uint8Array<ArrayBuffer> {
    this.#at = 0;
    this.#array(items.length);
    for (const item of items) this.#item(item);
    return this.#bytes.slice(0, this.#at);
  }

  #item({ key, plugin, hash, seq, state, effects, packed, digest, error }: OutcomeItem): void {
    this.#array(8);
    this.#text(key);
    this.#text(plugin);
    this.#text(hash);
    this.#whole(seq);
    this.#whole(state === "ok" ? 0 : 1);
    if (effects === null) this.#byte(0xc0);
    else this.#raw(packed ?? pack(effects));
    this.#text(digest);
    if (error === null) this.#byte(0xc0);
    else {
      const { code, message, stack } = error;
      // Older code reads the first two, and no further.
      this.#raw(pack(stack === undefined ? [code, message] : [code, message, stack]));
    }
  }

  #array(length: number): void {
    if (length < 16) this.#byte(0x90 | length);
    else if (length < 0x10000) this.#number(0xdc, length, 2);
    else this.#number(0xdd, length, 4);
  }

  #whole(value: number): void {
    if (value < 0x80) this.#byte(value);
    else if (value < 0x100) this.#number(0xcc, value, 1);
    else if (value < 0x10000) this.#number(0xcd, value, 2);
    else if (value < 0x100000000) this.#number(0xce, value, 4);
    else this.#raw(pack(value));
  }

  #text(text: string): void {
    const units = text.length;
    const from = this.#at;
    if (units < 32) this.#byte(0xa0 | units);
    else if (units < 0x100) this.#number(0xd9, units, 1);
    else return this.#raw(pack(text));
    this.#room(units);
    let at = this.#at;
    for (let i = 0; i < units; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) {
        // longer in bytes than in units, and so is its head
        this.#at = from;
        return this.#raw(pack(text));
      }
      this.#bytes[at++] = unit;
    }
    this.#at = at;
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  #number(head: number, value: number, length: number): void {
    this.#room(5);
    this.#bytes[this.#at++] = head;
    for (let shift = 8 * (length - 1); shift >= 0; shift -= 8) this.#bytes[this.#at++] = value >>> shift;
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #room(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#at + length, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}
