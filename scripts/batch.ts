/*
 * A batch run now, beside the scheduled ones:
 *
 *     npm run batch [-- --stack NAME] [--seal] [--accept-loss]
 *
 * --seal closes the open chunks first, so that the run has all events that were written before. --accept-loss goes on
 * without what is lost, and closes the open chunks that lack something. Where the log itself is another one than it was,
 * it begins the log's next incarnation, brings the stack up with it, and runs a batch then.
 */
import { nextIncarnationOf } from "../jobs/log/next-incarnation-line.ts";
import { CommandLine, runCommandLine } from "./command-line.ts";
import { runBatch, runningArchitecture } from "./demo/architecture.ts";
import { defaultStack, runPulumi } from "./environment.ts";

await runCommandLine(async () => {
  const commandLine = new CommandLine(
    {
      name: "batch",
      usage: "[--stack NAME] [--seal] [--accept-loss]",
      options: { stack: { type: "string" }, seal: { type: "boolean" }, "accept-loss": { type: "boolean" } },
    },
    process.argv.slice(2),
  );
  const stack = commandLine.stack(defaultStack);
  commandLine.throwIfAny();
  const flags = (["seal", "accept-loss"] as const).filter((flag) => commandLine.values[flag] === true);
  await runBatchOf(stack, flags);
});

async function runBatchOf(stack: string, flags: readonly string[]): Promise<void> {
  const { batchCommand } = await runningArchitecture(stack);
  let next: number | undefined;
  await runBatch([...batchCommand, ...flags.map((flag) => `--${flag}`)], (line) => {
    console.log(line);
    next ??= nextIncarnationOf(line);
  });
  if (next === undefined) return;
  for (const args of [
    ["config", "set", "logIncarnation", String(next)],
    ["up", "--yes", "--skip-preview"],
  ]) {
    const { exitCode } = await runPulumi([...args, "--stack", stack]);
    if (exitCode !== 0)
      throw new Error(`pulumi ${args.join(" ")} failed; run it again: npm run batch -- --accept-loss`);
  }
  // What is deployed now knows the log.
  await runBatchOf(
    stack,
    flags.filter((flag) => flag !== "accept-loss"),
  );
}
