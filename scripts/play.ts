/*
 * Plays events into the stack's topic; the options are those of jobs/sources/main.ts:
 *
 *     npm run play -- --input FILE | --events N | --wikimedia [--rate N] [--stack NAME]
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { runningArchitecture } from "./demo/architecture.ts";
import { defaultStack } from "./environment.ts";

const source = fileURLToPath(new URL("../jobs/sources/main.ts", import.meta.url));
const args = process.argv.slice(2);
const named = args.indexOf("--stack");
const [, stack = defaultStack] = named < 0 ? [] : args.splice(named, 2);
try {
  const { configuration } = await runningArchitecture(stack);
  const child = spawn(process.execPath, [source, "--configuration", "/dev/stdin", ...args], {
    cwd: process.env.INIT_CWD,
    stdio: ["pipe", "inherit", "inherit"],
  });
  child.stdin.end(JSON.stringify(configuration));
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
