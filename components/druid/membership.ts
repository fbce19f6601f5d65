/**
 * Makes a cluster's historicals those that it shall have: every segment gets its copies on them, and those that are not
 * wanted give theirs away. Ends when they hold nothing: then they can go, and queries miss no row meanwhile. Running it
 * again changes nothing.
 *
 * `membership.ts --coordinator URL --historicals HOST:PORT,… [--check]`. With `--check` nothing is changed: exit code 1
 * with one line for each thing to do.
 */
import { parseArgs } from "node:util";
import { DruidCoordinator } from "../../jobs/batch/druid-coordinator.ts";
import { runTaskProgram, untilNothingIsLeft } from "../task-program.ts";
import {
  copiesToLoad,
  defaultRules,
  type Historicals,
  type LoadStatus,
  leavingHistoricals,
  membershipProblems,
  missingHistoricals,
  segmentsToMove,
} from "./membership-plan.ts";

/** Milliseconds that historicals have to be seen by the coordinator after they are ready. */
const announcementTimeout = 60_000;

const configurationPath = "/druid/coordinator/v1/config";
const defaultRulesPath = "/druid/coordinator/v1/rules/_default";

async function main(): Promise<readonly string[]> {
  const text = { type: "string", default: "" } as const;
  const { values } = parseArgs({
    options: { coordinator: text, historicals: text, check: { type: "boolean", default: false } },
  });
  const coordinator = new DruidCoordinator(values.coordinator);
  const wanted = values.historicals.split(",");
  if (values.check) return membershipProblems(wanted, await currentHistoricals(coordinator));
  await untilNothingIsLeft(
    async () => missingHistoricals(wanted, await currentHistoricals(coordinator)),
    announcementTimeout,
  );
  const leaving = leavingHistoricals(wanted, await currentHistoricals(coordinator));
  await coordinator.request("POST", defaultRulesPath, defaultRules(wanted.length));
  const configuration = (await coordinator.request("GET", configurationPath)) as object;
  await coordinator.request("POST", configurationPath, { ...configuration, decommissioningNodes: leaving });
  await untilNothingIsLeft(async () => {
    const toLoad = copiesToLoad(
      (await coordinator.request("GET", "/druid/coordinator/v1/loadstatus?full")) as LoadStatus,
    );
    return [
      ...(toLoad > 0 ? [`${toLoad} copies of segments are to be loaded`] : []),
      ...segmentsToMove(wanted, await currentHistoricals(coordinator)),
    ];
  });
  console.log(`segments are on ${wanted.join(", ")}${leaving.length > 0 ? `, none on ${leaving.join(", ")}` : ""}`);
  return [];
}

async function currentHistoricals(coordinator: DruidCoordinator): Promise<Historicals> {
  const [servers, configuration, rules] = await Promise.all([
    coordinator.request("GET", "/druid/coordinator/v1/servers?simple"),
    coordinator.request("GET", configurationPath),
    coordinator.request("GET", defaultRulesPath),
  ]);
  return {
    seen: (servers as { host: string; type: string; currSize: number }[]).filter(({ type }) => type === "historical"),
    leaving: (configuration as { decommissioningNodes?: string[] }).decommissioningNodes ?? [],
    defaultRules: rules as unknown[],
  };
}

await runTaskProgram(main);
