import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The absolute path of the checkout. */
export const checkout = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** The project's name, as in Pulumi.yaml. */
export const project = "lambda-architecture";

/** The folder of the checkout's installed programs, the project's own Node among them. */
export const packagePrograms = join(checkout, "node_modules", ".bin");

/** The project's own Node, which runs everything but the set-up. */
export const projectNode = join(packagePrograms, "node");

/** What a set-up found and made, see `SetupRecord`. It vanishes with node_modules. */
export const recordFile = join(checkout, "node_modules", ".cache", "lambda-architecture", "setup.json");

/** The folder under which everything that runs keeps its state: Pulumi's, the servers' data, logs. Ignored by git. */
export const stateFolder = join(checkout, ".lambda");
