import { command } from "../command.ts";

const NAME = { type: "positional", description: "handler, channel, sink or source" } as const;

/** `waterpark plugin check` */
export const pluginCheck = command({
  description: "has a sink try its target, from the node that is asked, without sending anything",
  args: { name: { type: "positional", description: "sink" } },
  examples: ["plugin check lab-archive"],
  async run({ values, client, out }) {
    const answer = await client.checkPlugin(values.name);
    if (out.isJson) out.json(answer);
    else {out.data(
        `${out.paint("green", "reached")} from ${answer.node}${answer.said === "" ? "" : `: ${answer.said}`}`,
      );}
  },
});

/** `waterpark plugin pause` */
export const pluginPause = command({
  description:
    "stops a handler, a channel, a sink or a source on all nodes; what comes meanwhile is recorded, and waits",
  args: { name: NAME },
  examples: ["plugin pause lab-archive"],
  async run({ values, client, out }) {
    const answer = await client.pausePlugin(values.name, true);
    if (out.isJson) out.json(answer);
    else out.data(`${answer.name} is paused`);
  },
});

/** `waterpark plugin resume` */
export const pluginResume = command({
  description: "sets it going again, where it stood",
  args: { name: NAME },
  examples: ["plugin resume lab-archive"],
  async run({ values, client, out }) {
    const answer = await client.pausePlugin(values.name, false);
    if (out.isJson) out.json(answer);
    else out.data(`${answer.name} goes on`);
  },
});
