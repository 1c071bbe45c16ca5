/**
 * httpSink against nginx: each delivery is PUT as a file of its WebDAV module, and nginx is killed in between.
 */
import assert from "node:assert/strict";
import { startSink } from "./bundled_sink.ts";
import { deliverAll, deliveries } from "./deliver_all.ts";
import { accepts, freePort, ServerProcess } from "./server_process.ts";

const version = await new Deno.Command("nginx", { args: ["-V"] }).output().catch(() => null);
const hasDav = version !== null && new TextDecoder().decode(version.stderr).includes("http_dav_module");
if (!hasDav) {
  console.log("nginx: skipped, as there is no nginx with its WebDAV module (Debian: apt-get install nginx-light)");
}

Deno.test({
  name: "http: a thousand deliveries into nginx, killed in between",
  ignore: !hasDav,
  async fn() {
    const port = freePort();
    await using server = await ServerProcess.start(async (folder) => {
      for (const name of ["in", "temp"]) await Deno.mkdir(`${folder}/${name}`);
      // the workers are the master's threads' place here: one process, so that a kill meets all of it
      await Deno.writeTextFile(
        `${folder}/nginx.conf`,
        `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
        events { worker_connections 256; }
        http {
          access_log off; client_body_temp_path ${folder}/temp; proxy_temp_path ${folder}/temp;
          fastcgi_temp_path ${folder}/temp; uwsgi_temp_path ${folder}/temp; scgi_temp_path ${folder}/temp;
          server { listen 127.0.0.1:${port}; location / { root ${folder}; dav_methods PUT; } }
        }`,
      );
      const args = ["-e", `${folder}/error.log`, "-p", folder, "-c", `${folder}/nginx.conf`];
      return new Deno.Command("nginx", { args, stdin: "null", stdout: "null", stderr: "null" });
    }, () => accepts(port));
    const url = `http://127.0.0.1:${port}/in/{key.id}-{seq}.json`;
    const breaker = { failures: 20, pauseMs: 200 };
    await using sink = await startSink("http httpSink", { url, method: "PUT", breaker });
    let restarted: Promise<void> | null = null;
    const tally = await deliverAll(sink, deliveries(100, 10), {
      msMax: 60_000,
      onDone: (done) => {
        if (done !== 400) return;
        // it is back within milliseconds, which nobody would notice
        const pause = () => new Promise((resolve) => setTimeout(resolve, 500));
        restarted = server.kill().then(pause).then(() => server.start());
      },
    });
    await restarted;
    assert.deepEqual([tally.done, [...tally.dead]], [1_000, []]);
    assert(tally.retries > 0, "nothing was under way when nginx died");
    const names = [...Deno.readDirSync(`${server.folder}/in`)].map(({ name }) => name);
    assert.equal(names.length, 1_000);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(`${server.folder}/in/7-3.json`)), { patient: 7, seq: 3 });
  },
});
