/*
 * A batch run now, beside the scheduled ones:
 *
 *     npm run batch [-- --stack NAME]
 */
import { parseArgs } from "node:util";
import { runBatch, runningArchitecture } from "./demo/architecture.ts";
import { defaultStack } from "./environment.ts";

const { values } = parseArgs({ options: { stack: { type: "string", default: defaultStack } } });
try {
  const { batchCommand } = await runningArchitecture(values.stack);
  await runBatch(batchCommand, (line) => console.log(line));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
