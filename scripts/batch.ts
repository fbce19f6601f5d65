/*
 * A batch run now, beside the scheduled ones:
 *
 *     npm run batch [-- --stack NAME]
 */
import { CommandLine, runCommandLine } from "./command-line.ts";
import { runBatch, runningArchitecture } from "./demo/architecture.ts";
import { defaultStack } from "./environment.ts";

await runCommandLine(async () => {
  const commandLine = new CommandLine(
    { name: "batch", usage: "[--stack NAME]", options: { stack: { type: "string" } } },
    process.argv.slice(2),
  );
  const stack = commandLine.stack(defaultStack);
  commandLine.throwIfAny();
  const { batchCommand } = await runningArchitecture(stack);
  await runBatch(batchCommand, (line) => console.log(line));
});
