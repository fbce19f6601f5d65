/**
 * Submits a topology with Flux, in place of the running one of the same name; with `--kill`, kills it; with `--check`,
 * looks whether it runs. With `--family` it kills those that the new one supersedes before, see `supersededTopologies`.
 * Run by `StormTopology`. Ends with 0 when Nimbus has taken the topology, or the topology is gone, or runs; else with 1
 * and the reason.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { zipSync } from "fflate";
import { nimbusAnswers, topologyRuns } from "./nimbus.ts";
import { supersededTopologies } from "./superseded.ts";

/** How long to wait for a Nimbus that leads, in seconds: a new one, or one that takes over from a killed one. */
const patience = 120;

interface Deployment {
  readonly name: string;
  /** What the names of topologies that take each other's place begin with; empty if there are none. */
  readonly family: string;
  readonly java: string;
  /** Storm's home. */
  readonly storm: string;
  /** The folder with storm.yaml, topology.yaml and resources/. */
  readonly configuration: string;
  /** Further resources: name to path. */
  readonly resources: ReadonlyMap<string, string>;
}

async function submit(deployment: Deployment): Promise<void> {
  if (deployment.family !== "") await killSuperseded(deployment);
  const folder = mkdtempSync(join(tmpdir(), "topology-"));
  try {
    const jar = join(folder, "topology.jar");
    writeFileSync(jar, topologyJar(deployment));
    const flux = [`-Dstorm.jar=${jar}`, "org.apache.storm.flux.Flux", "--remote", "--no-splash"];
    const definition = join(deployment.configuration, "topology.yaml");
    await nimbusPatiently(async () => {
      const result = await run(deployment, [...flux, definition]);
      if (result.code === 0) return undefined;
      if (/already exists|AlreadyAliveException/.test(result.output)) {
        // Nimbus takes the name again once it has cleaned up.
        await kill(deployment);
        return result;
      }
      if (isPassing(result.output)) return result;
      throw new Error(`Flux cannot submit ${definition}:\n${lastLines(result.output)}`);
    });
    console.log(`topology ${deployment.name} submitted`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function killSuperseded(deployment: Deployment): Promise<void> {
  let listing = "";
  await nimbusPatiently(async () => {
    const result = await run(deployment, ["org.apache.storm.command.ListTopologies"]);
    listing = result.output;
    if (result.code === 0) return undefined;
    if (isPassing(result.output)) return result;
    throw new Error(`the topologies cannot be listed:\n${lastLines(result.output)}`);
  });
  for (const name of supersededTopologies(listing, deployment.family, deployment.name)) {
    await kill({ ...deployment, name });
    console.log(`topology ${name}, which never took over, killed`);
  }
}

async function kill(deployment: Deployment): Promise<void> {
  await nimbusPatiently(async () => {
    const result = await run(deployment, ["org.apache.storm.command.KillTopology", deployment.name, "-w", "0"]);
    if (result.code === 0 || /NotAliveException/.test(result.output)) return undefined;
    if (isPassing(result.output)) return result;
    throw new Error(`topology ${deployment.name} cannot be killed:\n${lastLines(result.output)}`);
  });
}

/**
 * Whether the failure passes by itself: no Nimbus leads yet, or the one that does has just started and fails inside at
 * what it is asked (seen right after a `kill -9`).
 */
function isPassing(output: string): boolean {
  return /NimbusLeaderNotFoundException|Could not find leader nimbus|not a leader|Connection refused|TApplicationException: Internal error/.test(
    output,
  );
}

/** Tries again, half a second apart, until an attempt gives no failure any more. */
async function nimbusPatiently(attempt: () => Promise<{ output: string } | undefined>): Promise<void> {
  let failure: { output: string } | undefined;
  for (const end = Date.now() + patience * 1000; Date.now() < end; await sleep(500)) {
    failure = await attempt();
    if (failure === undefined) return;
  }
  throw new Error(
    `no Nimbus has done it for ${patience} s; see its log. The last answer:\n${lastLines(failure?.output ?? "")}`,
  );
}

/** The jar that Storm copies to the workers: nothing but `resources/`. */
function topologyJar({ configuration, resources }: Deployment): Uint8Array {
  const given = join(configuration, "resources");
  const contents = existsSync(given) ? readdirSync(given).map((name) => [name, join(given, name)] as const) : [];
  const files = new Map([...contents, ...resources]);
  return zipSync({
    resources: Object.fromEntries([...files].map(([name, path]) => [name, new Uint8Array(readFileSync(path))])),
  });
}

/** Runs a class of Storm's client. */
function run({ java, storm, configuration }: Deployment, args: string[]): Promise<{ code: number; output: string }> {
  const classPath = [`${storm}/lib/*`, `${storm}/extlib/*`, configuration].join(":");
  const flags = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"];
  return new Promise((resolve) => {
    execFile(
      java,
      [...flags, `-Dstorm.home=${storm}`, "-cp", classPath, ...args],
      { maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, output: error === null ? stdout : `${stdout}\n${stderr}\n${code === 1 ? error.message : ""}` });
      },
    );
  });
}

function lastLines(output: string): string {
  return output.trim().split("\n").slice(-30).join("\n");
}

/** Without a Nimbus nobody knows, and a topology that still runs would be replaced for nothing. */
async function check(name: string, stormYaml: string): Promise<void> {
  if ((await topologyRuns(stormYaml, name)) === false) throw new Error(`topology ${name} does not run`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      name: { type: "string", default: "" },
      family: { type: "string", default: "" },
      java: { type: "string", default: "java" },
      storm: { type: "string", default: "" },
      configuration: { type: "string", default: "" },
      resource: { type: "string", multiple: true, default: [] },
      kill: { type: "boolean", default: false },
      check: { type: "boolean", default: false },
    },
  });
  const resources = new Map(
    values.resource.map((each) => [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)] as const),
  );
  const deployment = { ...values, resources };
  const stormYaml = join(values.configuration, "storm.yaml");
  if (values.check) return check(values.name, stormYaml);
  // Without a Nimbus there is nothing that would ever run the topology again, so nothing to kill.
  if (!values.kill) await submit(deployment);
  else if (await nimbusAnswers(stormYaml)) await kill(deployment);
  else console.log("no Nimbus answers: the topology is not running");
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
