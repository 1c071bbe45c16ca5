import { Hl7View } from "../wire/hl7_view.ts";
import { formOf } from "./content.ts";

// Not through wire's door: that one draws MessagePack and the decoders along, and this runs inside plugin contexts,
// where there is nothing but ECMAScript.
const { parse } = JSON;

/**
 * A message's body from its `raw` string.
 *
 * @throws {Error} when it is not what its media type says; without a word of what it is, as that is a patient's data
 */
export function decodeBody(contentType: string, raw: string): unknown {
  switch (formOf(contentType)) {
    case "json":
      try {
        return parse(raw);
      } catch {
        throw new Error("Cannot read the message's body as it must be JSON");
      }
    case "hl7": {
      const view = Hl7View.read(raw);
      if (view === null) throw new Error("Cannot read the message's body as it must begin with an MSH segment");
      return view;
    }
    case "text":
      return raw;
    case "bytes": {
      const bytes = new Uint8Array(raw.length);
      for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
      return bytes;
    }
  }
}
