import { command, type WaterparkCommand } from "../command.ts";
import { bashScript } from "../completions/bash.ts";
import { fishScript } from "../completions/fish.ts";
import { completionTable, SHELLS } from "../completions/table.ts";
import { zshScript } from "../completions/zsh.ts";
import { MisuseError } from "../errors.ts";
import { suggest } from "../suggest.ts";
import type { CommandTree } from "../usage.ts";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `waterpark completions`; `tree` gives all commands, this one among them. */
export function completions(tree: () => CommandTree): WaterparkCommand {
  return command({
    description: "prints what has a shell complete commands, flags, names and files",
    args: { shell: { type: "positional", description: SHELLS.join(", ") } },
    examples: [
      "source <(waterpark completions bash)        # in ~/.bashrc",
      "source <(waterpark completions zsh)         # in ~/.zshrc, behind compinit",
      "waterpark completions fish | source         # in ~/.config/fish/config.fish",
    ],
    run({ values: { shell }, out }) {
      if (!Object.hasOwn(SCRIPTS, shell)) {
        const meant = suggest(shell, SHELLS);
        throw new MisuseError(
          `Cannot complete in "${shell}" as it must be ${SHELLS.slice(0, -1).join(", ")} or ${SHELLS.at(-1)}`,
          meant === undefined ? undefined : `did you mean "waterpark completions ${meant}"?`,
        );
      }
      const script = SCRIPTS[shell as keyof typeof SCRIPTS](completionTable(tree()));
      if (out.isJson) out.json({ shell, script });
      else out.data(script);
    },
  });
}
