/**
 * A network of one's own for tests: every node in a network namespace with an address, all of them around a router, itself
 * a namespace. Cables are pulled (a link goes down), and the router drops what goes from one node to another (a rule with
 * `blackhole`): silently and one way, as broken networks do it, and not with an error as a local route would.
 *
 *     TN-A-1 10.91.1.2 ──veth── 10.91.1.1 ┐
 *     TN-B-1 10.91.2.2 ──veth── 10.91.2.1 ┤ router ── 10.91.0.1 ──veth── 10.91.0.2  this process
 *
 * Needs root, Linux and iproute2; {@linkcode whyNot} says what is missing. Names begin with `wp` and the process's id, and
 * everything is gone when it is disposed of.
 */

const DECODER = new TextDecoder();

/** Why there can be no namespaces here; null: there can. */
export async function whyNot(): Promise<string | null> {
  if (Deno.build.os !== "linux") return `network namespaces are Linux's, and this is ${Deno.build.os}`;
  if (Deno.uid() !== 0) return "network namespaces need root";
  try {
    const { code } = await new Deno.Command("ip", { args: ["-V"], stdout: "null", stderr: "null" }).output();
    if (code !== 0) return "iproute2 does not run";
  } catch {
    return "iproute2 (`ip`) is not installed";
  }
  const probe = `wp${Deno.pid}probe`;
  try {
    await ip("netns", "add", probe);
    await ip("netns", "exec", probe, "ip", "link", "add", "p0", "type", "veth", "peer", "name", "p1");
    return null;
  } catch (error) {
    return `the kernel refuses: ${(error as Error).message}`;
  } finally {
    await ip("netns", "del", probe).catch(() => {});
  }
}

/** One node's place. */
export interface Host {
  /** its address */
  ip: string;
  /** what a command line begins with, so that it runs there */
  prefix: readonly string[];
}

/** See the file's header. */
export class Network implements AsyncDisposable {
  readonly #names: readonly string[];
  readonly #id = `wp${Deno.pid}`;
  readonly #cuts = new Set<string>();

  private constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** Builds it; when that fails, nothing is left. */
  static async build(names: readonly string[]): Promise<Network> {
    const network = new Network(names);
    try {
      await network.#build();
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  /** Where a node lives. */
  host(name: string): Host {
    const at = this.#at(name);
    return { ip: `10.91.${at}.2`, prefix: ["ip", "netns", "exec", `${this.#id}n${at}`] };
  }

  /** From now on nothing that `from` sends arrives at `to`; both ways unless told otherwise. */
  async cut(from: string, to: string, options: { isOneWay?: boolean } = {}): Promise<void> {
    await this.#drop(from, to);
    if (!options.isOneWay) await this.#drop(to, from);
  }

  /** Cuts each of `here` off each of `there`. */
  async split(here: readonly string[], there: readonly string[]): Promise<void> {
    for (const from of here) for (const to of there) await this.cut(from, to);
  }

  /** Pulls a node's cable, or puts it back: nobody reaches it, clients neither. */
  async cable(name: string, isIn: boolean): Promise<void> {
    const at = this.#at(name);
    await this.#inRouter("link", "set", `r${at}`, isIn ? "up" : "down");
  }

  /** Mends all cuts. */
  async heal(): Promise<void> {
    for (const rule of this.#cuts) await this.#inRouter("rule", "del", ...rule.split(" "));
    this.#cuts.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = ["r", ...this.#names.map((_, i) => `n${i + 1}`)];
    for (const name of all) await ip("netns", "del", this.#id + name).catch(() => {});
    await ip("link", "del", this.#id).catch(() => {});
  }

  async #build(): Promise<void> {
    const router = `${this.#id}r`;
    await ip("netns", "add", router);
    await inNamespace(router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
    await ip("link", "add", this.#id, "type", "veth", "peer", "name", "r0", "netns", router);
    await ip("addr", "add", "10.91.0.2/24", "dev", this.#id);
    await ip("link", "set", this.#id, "up");
    await ip("route", "add", "10.91.0.0/16", "via", "10.91.0.1");
    await this.#inRouter("addr", "add", "10.91.0.1/24", "dev", "r0");
    await this.#inRouter("link", "set", "r0", "up");
    for (let at = 1; at <= this.#names.length; at++) {
      const node = `${this.#id}n${at}`;
      const inNode = (...args: string[]) => ip("netns", "exec", node, "ip", ...args);
      await ip("netns", "add", node);
      await inNode("link", "set", "lo", "up");
      await ip(
        "netns",
        "exec",
        router,
        "ip",
        "link",
        "add",
        `r${at}`,
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        node,
      );
      await this.#inRouter("addr", "add", `10.91.${at}.1/24`, "dev", `r${at}`);
      await this.#inRouter("link", "set", `r${at}`, "up");
      await inNode("addr", "add", `10.91.${at}.2/24`, "dev", "eth0");
      await inNode("link", "set", "eth0", "up");
      await inNode("route", "add", "default", "via", `10.91.${at}.1`);
    }
  }

  async #drop(from: string, to: string): Promise<void> {
    const rule = `from ${this.host(from).ip} to ${this.host(to).ip} blackhole`;
    if (this.#cuts.has(rule)) return;
    await this.#inRouter("rule", "add", ...rule.split(" "));
    this.#cuts.add(rule);
  }

  #inRouter(...args: string[]): Promise<void> {
    return ip("netns", "exec", `${this.#id}r`, "ip", ...args);
  }

  #at(name: string): number {
    const at = this.#names.indexOf(name);
    if (at < 0) throw new Error(`Cannot find "${name}" in the network`);
    return at + 1;
  }
}

function inNamespace(namespace: string, ...command: string[]): Promise<void> {
  return ip("netns", "exec", namespace, ...command);
}

async function ip(...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command("ip", { args, stdout: "null", stderr: "piped" }).output();
  if (code !== 0) throw new Error(`ip ${args.join(" ")}: ${DECODER.decode(stderr).trim()}`);
}
