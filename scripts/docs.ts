/*
 * Makes the pages of the programming interface in `docs/api/` from the doc comments:
 *
 *     npm run docs
 */
import { runPackageProgram } from "./package-program.ts";

process.exitCode = await runPackageProgram("typedoc");
