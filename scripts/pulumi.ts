/*
 * The plain Pulumi CLI with the project's Node, CLI and, unless the person chose their own, backend and passphrase:
 *
 *     npm run pulumi -- preview
 */
import { runCommandLine } from "./command-line.ts";
import { runPulumi } from "./environment.ts";

await runCommandLine(async () => {
  const { exitCode, stderr } = await runPulumi(process.argv.slice(2));
  process.stderr.write(stderr);
  return exitCode;
});
