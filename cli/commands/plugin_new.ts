import { basename, resolve } from "node:path";
import { command } from "../command.ts";
import { fileState, MisuseError } from "../errors.ts";
import { projectFiles } from "../plugin_project.ts";

/** `waterpark plugin new` */
export const pluginNew = command({
  description: "writes a plugin's project, with a test that passes",
  args: {
    dir: { type: "positional", description: "a folder that is not there yet, or is empty; its name is the plugin's" },
    kind: { type: "string", default: "patient", description: "kind of the actors whose messages it handles" },
  },
  examples: ["plugin new bed-watch", "plugin new ../plugins/queue --kind queue"],
  async run({ values, out }) {
    const { dir, kind } = values;
    const folder = resolve(dir);
    const refuse = (state: string): never => {
      throw new MisuseError(`Cannot write a plugin to "${dir}" as ${state}`);
    };
    const name = basename(folder);
    if (!/^[a-z][a-z0-9_-]{0,63}$/.test(name)) {
      refuse(
        "the folder's name must be 1 to 64 lower-case letters, digits, - and _, a letter first: it is the plugin's",
      );
    }
    if (!/^[\w.-]{1,100}$/.test(kind)) refuse("--kind must be 1 to 100 letters, digits, dots and dashes");
    try {
      await Deno.mkdir(folder, { recursive: true });
      for await (const { name } of Deno.readDir(folder)) refuse(`the folder must be empty: it has ${name}`);
      for (const [file, text] of Object.entries(await projectFiles({ name, kind }))) {
        await Deno.writeTextFile(`${folder}/${file}`, text, { createNew: true });
        if (!out.isJson) out.data(`${dir}/${file}`);
      }
    } catch (error) {
      if (error instanceof MisuseError) throw error;
      refuse(`it must be a folder that may be written to: ${fileState(error)}`);
    }
    if (out.isJson) out.json({ name, kind, folder });
    out.talk(`next: cd ${dir} && deno test; then waterpark plugin deploy ${dir}/${name}.ts`);
  },
});
