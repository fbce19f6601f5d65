/** The provider's process, started by the Pulumi engine with the engine's own address as its argument. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cacheFolder } from "../../cache-folder.mjs";

const { positionals } = parseArgs({ strict: false, allowPositionals: true });
// Where the SDK finds the engine to log to; it has to be there before the SDK is loaded.
if (positionals[0] !== undefined) process.env.PULUMI_NODEJS_ENGINE = positionals[0];
// Halves the time until the provider answers, and it is started for each preview, update and refresh.
enableCompileCache(join(cacheFolder(), "compiled"));
// The SDK's server prints the stack trace of each error that it also reports. The report is enough.
console.error = () => {};

const { main } = await import("@pulumi/pulumi/provider/index.js");
const { LocalProvider } = await import("./provider.ts");

const provider = new LocalProvider();
// An engine that was killed cannot say so: then what is under way is taken back, and this process ends.
const engine = process.ppid;
setInterval(async () => {
  if (process.ppid === engine) return;
  await provider.cancel();
  process.exit(1);
}, 1000).unref();

await main(provider, process.argv.slice(2));
