/*
 * Takes a stack down, with its data where the stack's configuration says deleteData:
 *
 *     npm run demo:down [-- --stack NAME]
 */
import { parseArgs } from "node:util";
import { defaultStack } from "./environment.ts";
import { takeDown } from "./take-down.ts";

const { values } = parseArgs({ options: { stack: { type: "string", default: defaultStack } } });
try {
  process.exitCode = await takeDown(values.stack);
} catch (error) {
  console.error(`The stack ${values.stack} is not down: ${(error as Error).message}`);
  process.exitCode = 1;
}
