import { setTimeout as sleep } from "node:timers/promises";
import type { ViewColumn } from "../views/view.ts";
import type { AnyView } from "./columns.ts";
import type { DruidCoordinator } from "./druid-coordinator.ts";
import { BatchQueryError, countRows } from "./query.ts";
import type { Version } from "./versions.ts";

/** What is loaded: a view's rows out of the output of a batch run. */
export interface LoadArgs {
  readonly view: AnyView;
  /** The version to make; its rows are those that must be found and counted. */
  readonly version: Version;
  /** The HTTP addresses of the run's output files: JSON lines, each with its `view`. */
  readonly urls: readonly string[];
}

/**
 * The task that loads a view's rows into a datasource of their own. All rows are in one time chunk, whose segments
 * become visible together: a query sees all of them or none.
 */
export function loadTask({ view, version, urls }: LoadArgs) {
  const { datasource } = version;
  return {
    type: "index_parallel",
    // The same name for the same load: submitted twice, it runs once.
    id: `load_${datasource}`,
    spec: {
      dataSchema: {
        dataSource: datasource,
        timestampSpec: { column: "__time", format: "millis" },
        dimensionsSpec: {
          dimensions: [
            ...view.keyFields.map((name) => ({ type: "string", name, multiValueHandling: "ARRAY" })),
            ...view.columns.map(dimension),
          ],
        },
        metricsSpec: [],
        granularitySpec: { segmentGranularity: "ALL", queryGranularity: "NONE", rollup: false },
        transformSpec: {
          filter: { type: "equals", column: "view", matchValueType: "STRING", matchValue: view.name },
        },
      },
      ioConfig: {
        type: "index_parallel",
        inputSource: { type: "http", uris: urls },
        inputFormat: { type: "json" },
        appendToExisting: false,
      },
      tuningConfig: {
        type: "index_parallel",
        partitionsSpec: { type: "dynamic" },
        // A row that does not parse would be a row less: fail instead.
        logParseExceptions: true,
        maxParseExceptions: 0,
      },
    },
  };
}

/** State columns are only read, never searched: a string needs no index. */
function dimension({ name, type }: ViewColumn) {
  return type === "string" ? { type, name, createBitmapIndex: false } : { type, name };
}

/**
 * Loads a version and waits until the broker can query every row of it, and it is on the disks.
 *
 * @param druid.broker `http://host:port`
 * @param druid.queryableWithin milliseconds from the end of the task until every row must be found. Default: 300,000
 * @param druid.toDisks has what was loaded written to the disks. Default: nothing
 * @throws {DruidError} if the task fails
 * @throws {Error} if the rows are not all found in time, or there are more
 */
export async function loadVersion(
  druid: {
    readonly coordinator: DruidCoordinator;
    readonly broker: string;
    readonly queryableWithin?: number;
    readonly toDisks?: () => Promise<void>;
    readonly signal?: AbortSignal;
  },
  args: LoadArgs,
): Promise<void> {
  const { datasource, rows } = args.version;
  // Nothing to load makes no datasource, and none is queried.
  if (rows === 0) return;
  await druid.coordinator.run(loadTask(args));
  const end = performance.now() + (druid.queryableWithin ?? 300_000);
  for (let problem = "no answer yet"; ; ) {
    druid.signal?.throwIfAborted();
    try {
      const found = await countRows({ broker: druid.broker, datasource });
      if (found === rows) return await druid.toDisks?.();
      if (found > rows) throw new Error(`${datasource} has ${found} rows instead of ${rows}`);
      problem = `${found} rows are found`;
    } catch (error) {
      // The broker does not know the datasource until its first segment is served.
      if (!(error instanceof BatchQueryError)) throw error;
      problem = error.message;
    }
    if (performance.now() > end)
      throw new Error(`${datasource} is loaded, but its ${rows} rows cannot be queried: ${problem}`);
    await sleep(250, undefined, { ...(druid.signal && { signal: druid.signal }) });
  }
}
