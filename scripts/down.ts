/*
 * Takes a stack down, with its data where the stack's configuration says deleteData:
 *
 *     npm run demo:down [-- --stack NAME]
 */
import { existsSync } from "node:fs";
import { CommandLine, runCommandLine } from "./command-line.ts";
import { defaultStack, requireStack, stackFolder } from "./environment.ts";
import { takeDown } from "./take-down.ts";

await runCommandLine(async () => {
  const commandLine = new CommandLine(
    { name: "demo:down", usage: "[--stack NAME]", options: { stack: { type: "string" } } },
    process.argv.slice(2),
  );
  const stack = commandLine.stack(defaultStack);
  commandLine.throwIfAny();
  if (!existsSync(stackFolder(stack))) requireStack(stack);
  return await takeDown(stack);
});
