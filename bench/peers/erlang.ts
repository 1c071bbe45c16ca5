/** Erlang/OTP: five nodes of our own program `wp_peer.erl`, one scheduler each, which is what does best on two cores. */
import type { Peer, RunningPeer } from "./peer.ts";
import { freePort, Servers } from "./server.ts";

const NODES = 5;
const SOURCE = new URL("wp_peer.erl", import.meta.url).pathname;
/** One scheduler that sleeps at once when it has nothing to do. */
const FLAGS = "+S 1:1 +SDcpu 1:1 +SDio 1 +A 1 +sbwt none +sbwtdcpu none +sbwtdio none +P 1048576".split(" ");

export const ERLANG: Peer = {
  name: "Erlang/OTP, bundled sends",
  word: "erlang",
  needs: ["erl", "erlc", "epmd"].map((command) => ({ command, package: "erlang-base" })),
  sender: "erlang",
  async start(folder: string): Promise<RunningPeer> {
    const { success, stdout } = await new Deno.Command("erlc", { args: ["-o", folder, SOURCE] }).output();
    if (!success) throw new Error(`Cannot compile wp_peer.erl: ${new TextDecoder().decode(stdout)}`);
    const servers = new Servers();
    try {
      // A port mapper of our own: the usual one would outlive the bench.
      const mapperPort = String(freePort());
      const env = { ERL_EPMD_PORT: mapperPort, ERL_CRASH_DUMP: "/dev/null", HOME: folder };
      servers.start({
        command: "epmd",
        args: ["-port", mapperPort, "-address", "127.0.0.1"],
        env,
        log: `${folder}/epmd.log`,
      });
      await servers.listening(Number(mapperPort));
      const names = Array.from({ length: NODES }, (_, i) => `wp${i + 1}@127.0.0.1`);
      const ports = names.map(freePort);
      const cookie = crypto.randomUUID();
      for (const [i, name] of names.entries()) {
        const kernel = ["-kernel", "inet_dist_use_interface", "{127,0,0,1}"];
        const run = ["-run", "wp_peer", "start", String(ports[i]), ...names];
        const identity = ["-name", name, "-setcookie", cookie];
        servers.start({
          command: "erl",
          args: [...FLAGS, "-noinput", "-pa", folder, ...identity, ...kernel, ...run],
          env,
          log: `${folder}/${name}.log`,
        });
      }
      await Promise.all(ports.map((port) => servers.listening(port)));
      return { pids: servers.pids, ports, stop: () => servers.stop() };
    } catch (error) {
      await servers.stop();
      throw error;
    }
  },
};
