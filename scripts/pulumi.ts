/*
 * The plain Pulumi CLI with the project's Node, CLI and, unless the person chose their own, backend and passphrase:
 *
 *     npm run pulumi -- preview
 */
import { runPulumi } from "./environment.ts";

const { exitCode, stderr } = await runPulumi(process.argv.slice(2));
process.stderr.write(stderr);
process.exitCode = exitCode;
