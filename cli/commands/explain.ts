import { command } from "../command.ts";
import { MisuseError } from "../errors.ts";
import { EXPLANATIONS } from "../explain.ts";
import { suggest } from "../suggest.ts";

/** `waterpark explain` */
export const explain = command({
  description: "says what an error code means, what is now true, and what to try",
  args: {
    code: { type: "positional", required: false, description: "error code, room/what; left out: lists them all" },
  },
  examples: ["explain mailroom/busy", "explain"],
  run({ values, out }) {
    const { code } = values;
    if (code === undefined) {
      for (const [code, { happened }] of Object.entries(EXPLANATIONS)) {
        if (out.isJson) out.json({ code, ...EXPLANATIONS[code] });
        else out.data(`${out.paint("bold", code.padEnd(32))} ${happened}`);
      }
      return;
    }
    const explanation = EXPLANATIONS[code];
    if (explanation === undefined) {
      const meant = suggest(code, Object.keys(EXPLANATIONS));
      throw new MisuseError(
        `Cannot explain "${code}" as it must be a known code`,
        meant === undefined ? "waterpark explain lists them all" : `did you mean "waterpark explain ${meant}"?`,
      );
    }
    if (out.isJson) return out.json({ code, ...explanation });
    out.data(out.paint("bold", code));
    out.data(`  What happened     ${explanation.happened}`);
    out.data(`  What is now true  ${explanation.now}`);
    out.data(`  What to try       ${explanation.next}`);
  },
});
