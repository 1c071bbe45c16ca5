import { keyOf } from "../actor_key.ts";
import { command } from "../command.ts";
import { drawTopology } from "../topology_drawing.ts";

const EVERY_MS = 1000;

/** `waterpark topology inspect` */
export const topologyInspect = command({
  description: "draws data centers, zones and nodes: who is alive, who writes and holds what",
  args: {
    actor: { type: "string", metavar: "KEY", description: "also where this actor lives" },
    watch: { type: "boolean", default: false, description: "draw anew whenever it changes" },
  },
  examples: ["topology inspect", "topology inspect --actor HOSPX/1001 --watch", "topology inspect --json | jq .nodes"],
  async run({ values, client, out }) {
    const look = async () => {
      const view = await client.topology();
      const place = values.actor === undefined ? undefined : await client.place(keyOf(values.actor));
      return { view, place };
    };
    let before = "";
    do {
      const { view, place } = await look();
      const text = JSON.stringify(place === undefined ? view : { ...view, actor: place });
      if (text !== before) {
        const drawing = () => drawTopology(view, { paint: (style, text) => out.paint(style, text), place });
        if (out.isJson) out.data(text);
        else if (values.watch && out.isTerminal) out.screen(drawing());
        else out.data(drawing());
      }
      before = text;
      if (values.watch) await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    } while (values.watch);
  },
});
