/*
 * Takes a stack down, with its data:
 *
 *     npm run demo:down [-- --stack NAME]
 */
import { parseArgs } from "node:util";
import { defaultStack } from "./environment.ts";
import { takeDown } from "./take-down.ts";

const { values } = parseArgs({ options: { stack: { type: "string", default: defaultStack } } });
process.exitCode = await takeDown(values.stack);
