/*
 * Makes `dist/`, what the npm package consists of: JavaScript and types, since Node runs no TypeScript under
 * node_modules, and beside them the other files of the sources (Maven projects, Java, shell scripts) as they are:
 *
 *     npm run build
 */
import { cpSync, rmSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { runCommandLine, withoutOptions } from "./command-line.ts";
import { checkout } from "./environment.ts";
import { runPackageProgram } from "./package-program.ts";

await runCommandLine(async () => {
  withoutOptions("build", process.argv.slice(2));
  const folder = join(checkout, "dist");
  rmSync(folder, { recursive: true, force: true });
  const exitCode = await runPackageProgram("tsc", "--project", "tsconfig.build.json");
  for (const source of exitCode === 0 ? ["components", "jobs"] : []) {
    cpSync(join(checkout, source), join(folder, source), {
      recursive: true,
      // `target` is what Maven makes of a project in place.
      filter: (path) => ![".ts", ".mjs"].includes(extname(path)) && basename(path) !== "target",
    });
  }
  return exitCode;
});
