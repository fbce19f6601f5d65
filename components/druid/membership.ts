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
  defaultRules,
  type Historicals,
  leavingHistoricals,
  membershipProblems,
  missingHistoricals,
  type SegmentsByHost,
  segmentsToMove,
} from "./membership-plan.ts";

/** Milliseconds that historicals have to be seen by the coordinator after they are ready. */
const announcementTimeout = 60_000;
/** Milliseconds that a check may take. */
const checkTimeout = 10_000;

const configurationPath = "/druid/coordinator/v1/config";
const defaultRulesPath = "/druid/coordinator/v1/rules/_default";

async function main(): Promise<readonly string[]> {
  const text = { type: "string", default: "" } as const;
  const { values } = parseArgs({
    options: { coordinator: text, historicals: text, check: { type: "boolean", default: false } },
  });
  const limit = new AbortController();
  // A preview does not wait for one that is away.
  if (values.check)
    setTimeout(() => limit.abort(new Error(`the coordinator ${values.coordinator} does not answer`)), checkTimeout);
  const coordinator = new DruidCoordinator(values.coordinator, limit.signal);
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
  // Not by its load status, which is of its last run: that may have been before it knew of the change.
  await untilNothingIsLeft(async () => {
    const [held, ruled] = await Promise.all([heldSegments(coordinator), ruledDatasources(coordinator)]);
    return segmentsToMove(wanted, held, ruled);
  });
  console.log(`segments are on ${wanted.join(", ")}${leaving.length > 0 ? `, none on ${leaving.join(", ")}` : ""}`);
  return [];
}

/** A server as the coordinator describes it; with its segments only if it was asked for all. */
interface ServerDescription {
  readonly host: string;
  readonly type: string;
  readonly segments?: Readonly<Record<string, { readonly dataSource: string }>>;
}

const isHistorical = ({ type }: ServerDescription) => type === "historical";

async function currentHistoricals(coordinator: DruidCoordinator): Promise<Historicals> {
  const [servers, configuration, rules] = await Promise.all([
    coordinator.request("GET", "/druid/coordinator/v1/servers?simple"),
    coordinator.request("GET", configurationPath),
    coordinator.request("GET", defaultRulesPath),
  ]);
  return {
    seen: (servers as ServerDescription[]).filter(isHistorical).map(({ host }) => host),
    leaving: (configuration as { decommissioningNodes?: string[] }).decommissioningNodes ?? [],
    defaultRules: rules as unknown[],
  };
}

async function heldSegments(coordinator: DruidCoordinator): Promise<SegmentsByHost> {
  const servers = (await coordinator.request("GET", "/druid/coordinator/v1/servers?full")) as ServerDescription[];
  return new Map(
    servers.filter(isHistorical).map(({ host, segments = {} }) => {
      const datasources = Object.entries(segments).map(([id, { dataSource }]): [string, string] => [id, dataSource]);
      return [host, new Map(datasources)];
    }),
  );
}

async function ruledDatasources(coordinator: DruidCoordinator): Promise<Set<string>> {
  return new Set(Object.keys((await coordinator.request("GET", "/druid/coordinator/v1/rules")) as object));
}

await runTaskProgram(main);
