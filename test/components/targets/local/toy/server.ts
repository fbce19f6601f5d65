/** A server that behaves as its one argument, JSON, says. */
import { spawn } from "node:child_process";
import { createServer } from "node:http";

const behaviour = JSON.parse(process.argv[2] as string) as import("./program.ts").Behaviour & {
  address: string;
  port: number;
};

console.log(`serving ${behaviour.text}`);
if (behaviour.dies) {
  console.error("cannot open the flux compensator");
  process.exit(3);
}
if (behaviour.leaves) {
  // Started by a process that ends at once, in a session of its own: an orphan that only its environment gives away.
  const orphan = `require("node:child_process").spawn("sleep", ["600"], { detached: true, stdio: "ignore" }).unref()`;
  spawn(process.execPath, ["-e", orphan], { stdio: "inherit" });
}
if (behaviour.stubborn) process.on("SIGTERM", () => console.log("no"));
setTimeout(() => {
  createServer((_, response) => response.end(behaviour.text)).listen(behaviour.port, behaviour.address);
}, behaviour.startsIn ?? 0);
