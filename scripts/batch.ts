/*
 * A batch run now, beside the scheduled ones:
 *
 *     npm run batch [-- --stack NAME] [--seal] [--accept-loss]
 *
 * --seal closes the open chunks first, so that the run has all events that were written before. --accept-loss goes on
 * without what is lost.
 */
import { CommandLine, runCommandLine } from "./command-line.ts";
import { runBatch, runningArchitecture } from "./demo/architecture.ts";
import { defaultStack } from "./environment.ts";

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
  const { batchCommand } = await runningArchitecture(stack);
  const flags = (["seal", "accept-loss"] as const).filter((flag) => commandLine.values[flag] === true);
  await runBatch([...batchCommand, ...flags.map((flag) => `--${flag}`)], (line) => console.log(line));
});
