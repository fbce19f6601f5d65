/*
 * Plays events into the stack's topic; the options are those of jobs/sources/main.ts:
 *
 *     npm run play -- --input FILE | --events N | --wikimedia [--rate N] [--stack NAME]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runningArchitecture } from "./demo/architecture.ts";
import { defaultStack } from "./environment.ts";

const source = fileURLToPath(new URL("../jobs/sources/main.ts", import.meta.url));
const args = process.argv.slice(2);
const named = args.indexOf("--stack");
const [, stack = defaultStack] = named < 0 ? [] : args.splice(named, 2);
const folder = mkdtempSync(join(tmpdir(), "lambda-architecture-play-"));
// Ctrl-C reaches the source too, which ends after the batches on their way.
process.on("SIGINT", () => {});
try {
  const { configuration } = await runningArchitecture(stack);
  const file = join(folder, "configuration.json");
  writeFileSync(file, JSON.stringify(configuration), { mode: 0o600 });
  const child = spawn(process.execPath, [source, "--configuration", file, ...args], {
    cwd: process.env.INIT_CWD,
    stdio: "inherit",
  });
  const [code] = await once(child, "exit");
  process.exitCode = code ?? 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
