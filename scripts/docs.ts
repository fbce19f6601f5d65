/*
 * Makes the pages of the programming interface in `docs/api/` from the doc comments:
 *
 *     npm run docs
 */
import { runCommandLine, withoutOptions } from "./command-line.ts";
import { runPackageProgram } from "./package-program.ts";

await runCommandLine(async () => {
  withoutOptions("docs", process.argv.slice(2));
  return await runPackageProgram("typedoc");
});
