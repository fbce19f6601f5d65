/**
 * Puts a generation of a view to use, or, with `--retire`, gives it up: `main.ts --configuration FILE [--retire]`.
 * Running it again changes nothing. Exit code 1 with the reason if it cannot.
 */
import { parseArgs } from "node:util";
import { Client, errors } from "cassandra-driver";
import { readConfigurationOf } from "../configuration.ts";
import { generationConfigurationSchema } from "./configuration.ts";
import { claimGeneration, retireGeneration } from "./generations.ts";

const { view, generation, cassandra } = readConfigurationOf(generationConfigurationSchema);
const { values: flags } = parseArgs({ options: { retire: { type: "boolean", default: false } }, strict: false });
const client = new Client({
  ...cassandra,
  // A lightweight transaction on a busy machine takes its time.
  socketOptions: { connectTimeout: 5_000, readTimeout: 15_000 },
});

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  return 1;
});
// A client that failed to connect leaves a socket that keeps the process.
process.exit();

async function main(): Promise<number> {
  try {
    await client.connect();
  } catch (error) {
    // Without a Cassandra nobody is asked, and nothing to give up: the whole stack goes.
    if (!flags.retire || !(error instanceof errors.NoHostAvailableError)) throw error;
    console.log("no Cassandra answers: nothing is given up");
    return 0;
  }
  if (flags.retire) await retireGeneration(client, { view, generation });
  else await claimGeneration(client, { view, generation });
  console.log(`view ${view}: generation ${generation} is ${flags.retire ? "given up" : "in use"}`);
  await client.shutdown();
  return 0;
}
