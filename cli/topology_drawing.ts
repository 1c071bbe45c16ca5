/**
 * The topology as a picture: a box per data center, in it its zones, in them their nodes.
 *
 *     ╭─ TN ──────────────────────────────────────────────────╮
 *     │ zone A  ● TN-A-1  writes 128 ▇▇▇▇▇▇▇▇  holds 640  ... │
 */
import type { ActorPlace, NodeView, TopologyView } from "../client.ts";
import type { Style } from "./output.ts";

/** Paints text, or does not. */
export type Paint = (style: Style, text: string) => string;

const BAR_WIDTH = 12;

/** Draws it; with `place`, the members of that actor's shard are marked. */
export function drawTopology(view: TopologyView, { paint, place }: { paint: Paint; place?: ActorPlace }): string {
  const dataCenters = [...new Set(view.nodes.map((node) => node.dataCenter))];
  const width = widthsOf(view);
  const rowsOf = (dataCenter: string) => {
    const nodes = view.nodes.filter((node) => node.dataCenter === dataCenter);
    let zone = "";
    return nodes.map((node) => {
      const label = node.zone === zone ? "" : `zone ${node.zone}`;
      zone = node.zone;
      return { label, node };
    });
  };
  const boxes = dataCenters.map((dataCenter) => {
    const rows = rowsOf(dataCenter).map(({ label, node }) => rowOf(label, node, { view, place, width, paint }));
    const sets = view.homes.map((home, set) => home === dataCenter ? setText(set) : "").filter((set) => set !== "");
    const title = sets.length === 0 ? "" : ` home of ${count(sets.length, "set")}: ${sets.join(" ")} `;
    const columns = Math.max(...rows.map((row) => row.columns), dataCenter.length + title.length + 4);
    return { dataCenter, title, rows, columns };
  });
  const columns = Math.max(0, ...boxes.map((box) => box.columns));
  const lines = boxes.flatMap(({ dataCenter, title, rows }) => box(dataCenter, { title, rows, columns, paint }));
  return [headOf(view, paint), ...lines, legendOf(view, paint), ...place === undefined ? [] : [placeText(place, paint)]]
    .join("\n");
}

/** Where an actor is, in words. */
export function placeText(place: ActorPlace, paint: Paint): string {
  const members = [place.writer, ...place.followers];
  const isAsWanted = place.target[0] === place.writer &&
    place.target.every((name) => members.includes(name)) && place.target.length === members.length;
  return [
    `${paint("bold", place.key)}  shard ${place.shard}${
      place.term > 0 ? `  term ${place.term}` : ""
    }  generation ${place.generation}`,
    `  writer     ${place.writer === "" ? paint("red", "none known") : paint("magenta", place.writer)}`,
    `  followers  ${place.followers.join(", ") || "none"}`,
    ...isAsWanted ? [] : [`  target     ${place.target.join(", ")} ${paint("yellow", "(moving there)")}`],
  ].join("\n");
}

interface Widths {
  name: number;
  address: number;
  count: number;
  busiest: number;
}

function widthsOf({ nodes }: TopologyView): Widths {
  return {
    name: Math.max(4, ...nodes.map((node) => node.name.length)),
    address: Math.max(4, ...nodes.map((node) => (node.http ?? node.address).length)),
    count: Math.max(1, ...nodes.map((node) => String(Math.max(node.shards, node.copies)).length)),
    busiest: Math.max(1, ...nodes.map((node) => node.shards)),
  };
}

function headOf(view: TopologyView, paint: Paint): string {
  const dataCenters = new Set(view.nodes.map((node) => node.dataCenter)).size;
  const alive = view.nodes.filter((node) => node.alive).length;
  const counts = `${count(view.nodes.length, "node")} in ${count(dataCenters, "data center")}, ${alive} alive`;
  const born = view.born
    ? `1024 shards × ${Math.min(view.copies, view.nodes.length)} copies`
    : paint("yellow", "not born yet");
  return `${paint("bold", "Waterpark")} ${view.clusterId}  version ${view.version}  ${counts}  ${born}`;
}

function legendOf(view: TopologyView, paint: Paint): string {
  const legend = `${paint("green", "●")} alive  ${paint("yellow", "◐")} draining  ${paint("red", "✗")} silent  ` +
    `${paint("dim", "○")} absent`;
  return `${legend}   as ${view.node} sees it`;
}

function rowOf(
  label: string,
  node: NodeView,
  { view, place, width, paint }: { view: TopologyView; place?: ActorPlace; width: Widths; paint: Paint },
): { text: string; columns: number } {
  const bar = "▇".repeat(Math.round(node.shards / width.busiest * BAR_WIDTH)).padEnd(BAR_WIDTH);
  const role = place === undefined ? "" : roleOf(node.name, place);
  const zone = label.padEnd(8);
  const name = node.name.padEnd(width.name);
  const loads = `writes ${String(node.shards).padStart(width.count)} `;
  const holds = `  holds ${String(node.copies).padStart(width.count)}  `;
  const address = (node.http ?? node.address).padEnd(width.address);
  const here = node.name === view.node ? "  ◂ asked" : "";
  const columns = `${zone}● ${name}  ${loads}${bar}${holds}${address}${role}${here}`.length;
  const style: Style = !node.alive || node.status === "absent" ? "dim" : "bold";
  const text =
    `${paint("dim", zone)}${signOf(node, paint)} ${paint(style, name)}  ${loads}${paint("blue", bar)}${holds}` +
    `${paint("dim", address)}${paint("magenta", role)}${paint("cyan", here)}`;
  return { text, columns };
}

function roleOf(name: string, place: ActorPlace): string {
  if (name === place.writer) return "  ✎ writer  ";
  if (place.followers.includes(name)) return "  ↳ follower";
  return place.target.includes(name) ? "  → target  " : "            ";
}

function signOf(node: NodeView, paint: Paint): string {
  if (node.status === "absent") return paint("dim", "○");
  if (!node.alive) return paint("red", "✗");
  return node.status === "draining" ? paint("yellow", "◐") : paint("green", "●");
}

function box(
  name: string,
  { title, rows, columns, paint }: {
    title: string;
    rows: { text: string; columns: number }[];
    columns: number;
    paint: Paint;
  },
): string[] {
  const inner = columns + 2;
  const used = `─ ${name} ─${title}`.length;
  return [
    paint("dim", "╭─ ") + paint("bold", name) + paint("dim", ` ─${title}${"─".repeat(inner - used)}╮`),
    ...rows.map((row) => `${paint("dim", "│")} ${row.text}${" ".repeat(inner - row.columns - 1)}${paint("dim", "│")}`),
    paint("dim", `╰${"─".repeat(inner)}╯`),
  ];
}

function setText(set: number): string {
  return `S${String(set).padStart(2, "0")}`;
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
