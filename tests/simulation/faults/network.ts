/**
 * The network fails, without any bound: cuts of one or both directions between two nodes, splits of the data centers, a
 * node alone with its clients, links that take nothing more.
 */
import { MESH_LIMITS } from "../../../runtime/transport/mod.ts";
import type { Fault, Ground } from "./ground.ts";

/** Two nodes do not hear each other, or one not the other. */
export const cuts: Fault = {
  name: "cuts",
  everyMs: (options) => options.cutEveryMs,
  strike(ground) {
    const { names, network, time } = ground.cluster;
    const from = names[ground.random.below(names.length)];
    const to = names[ground.random.below(names.length)];
    if (from === to) return;
    const isOneWay = ground.random.next() < 0.4;
    ground.trace("cut", from, { to, isOneWay });
    network.cut(`${from}:4600`, `${to}:4600`, { isOneWay });
    time.after(100 + ground.random.next() * 5000, () => network.heal(`${from}:4600`, `${to}:4600`));
  },
};

/** Two data centers do not hear the others: neither side has most of them. */
export const splits: Fault = {
  name: "splits",
  everyMs: (options) => options.splitEveryMs,
  strike(ground) {
    const { names } = ground.cluster;
    const dataCenters = [...new Set(names.map((name) => name.slice(0, 2)))];
    for (let i = dataCenters.length - 1; i > 0; i--) {
      const j = ground.random.below(i + 1);
      [dataCenters[i], dataCenters[j]] = [dataCenters[j], dataCenters[i]];
    }
    const side = dataCenters.slice(0, Math.ceil(dataCenters.length / 2));
    const isHere = (name: string) => side.includes(name.slice(0, 2));
    ground.trace("split", "-", { here: side });
    const there = names.filter((name) => !isHere(name));
    cutAll(ground, { here: names.filter(isHere), there, isOneWay: false }, ground.between(300, 6000));
  },
};

/**
 * The writer of an actor that clients are at hears nobody, or is heard by nobody, and its clients do not notice: they go
 * on sending to it.
 */
export const isolations: Fault = {
  name: "isolations",
  everyMs: (options) => options.isolateEveryMs,
  strike(ground) {
    const { cluster, clients, random } = ground;
    const shard = cluster.shardOf(clients[random.below(clients.length)].lastKey);
    const node = cluster.living().find(({ core }) => core.replication.isWriter(shard)) ?? ground.anyNode();
    const others = cluster.names.filter((name) => name !== node.name);
    const ways = (["both", "out", "in"] as const)[random.below(3)];
    ground.trace("isolated", node.name, { ways });
    for (const client of clients) if (random.next() < 0.5) client.turnTo(node);
    const [here, there] = ways === "in" ? [others, [node.name]] : [[node.name], others];
    cutAll(ground, { here, there, isOneWay: ways !== "both" }, ground.between(300, 6000));
  },
};

/** A node's links are full: what it wants to send is refused, to the last ping or all but that. */
export const clogs: Fault = {
  name: "clogs",
  everyMs: (options) => options.clogEveryMs,
  strike(ground) {
    const { loop, name } = ground.anyNode();
    if (loop === null) return;
    const isTotal = ground.random.next() < 0.3;
    ground.trace("clogged", name, { isTotal });
    loop.cloggedBytes = isTotal ? Infinity : 0.95 * MESH_LIMITS.queueBytesMax;
    ground.lasts(ground.between(50, 3000), () => loop.cloggedBytes = 0);
  },
};

/** Cuts each of `here` off each of `there`. */
function cutAll(ground: Ground, sides: { here: string[]; there: string[]; isOneWay: boolean }, forMs: number): void {
  const { network } = ground.cluster;
  const { here, there, isOneWay } = sides;
  const pairs = here.flatMap((from) => there.map((to) => [`${from}:4600`, `${to}:4600`]));
  for (const [from, to] of pairs) network.cut(from, to, { isOneWay });
  ground.lasts(forMs, () => {
    for (const [from, to] of pairs) network.heal(from, to);
  });
}
