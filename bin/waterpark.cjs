#!/usr/bin/env node
// Runs the command line on a machine with Node only: installs Deno once into ~/.waterpark, then hands everything over.
"use strict";
const { spawn, spawnSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const VERSION = "2.9.6";
const root = path.dirname(__dirname);
const home = process.env.WATERPARK_HOME || path.join(os.homedir(), ".waterpark");
const dir = path.join(home, `deno-${VERSION}`);
const deno = path.join(dir, "node_modules", "deno", process.platform === "win32" ? "deno.exe" : "deno");

if (!fs.existsSync(deno)) {
  process.stderr.write(`installing Deno ${VERSION} into ${dir}, once\n`);
  fs.mkdirSync(dir, { recursive: true });
  fs.writeFileSync(path.join(dir, "package.json"), '{"private":true}');
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const { status } = spawnSync(npm, ["install", "--silent", `deno@${VERSION}`], { cwd: dir, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    process.stderr.write(`error: Cannot install Deno ${VERSION} as npm must reach its registry: npm failed\n`);
    process.exit(1);
  }
  // where npm was told to run no scripts, the binary is not in its place yet
  if (!fs.existsSync(deno)) require(path.join(dir, "node_modules", "deno", "install_api.cjs")).runInstall();
}

const flags = ["-A", "--v8-flags=--min-semi-space-size=16", "--config", path.join(root, "deno.json"), "--frozen"];
const args = ["run", ...flags, path.join(root, "cli", "main.ts")];
const child = spawn(deno, [...args, ...process.argv.slice(2)], { stdio: "inherit" });
// Ctrl-C reaches the child by itself; twice would be "end at once".
process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code === null ? 128 + (os.constants.signals[signal] || 1) : code));
