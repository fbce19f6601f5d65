import type { Version } from "../batch/versions.ts";
import { earliestTime, latestTime } from "../views/time.ts";
import { type ClosedEra, rowUse } from "./coverage.ts";
import { compactSteps, mergeToSteps, type StateRow, type Step } from "./merge.ts";
import type { SpanCache } from "./span-cache.ts";
import type { AnyView, StepsSelection, Stores } from "./stores.ts";

/**
 * A key's steps in a closed era of a speed view, kept as those of a batch view are: of a key that was asked for before,
 * only the rows of the eras at the log's end are read.
 *
 * They are named after the batch view's version too: as long as it answers, nothing past its horizon is deleted, so that
 * what is kept under its name was read whole.
 */
export function speedSteps(
  read: Stores["speedRows"],
  kept: SpanCache,
  view: AnyView,
  version: Version | undefined,
  { era, coverage }: ClosedEra,
  { key, from = earliestTime, to = latestTime, granularity }: StepsSelection,
): Promise<readonly Step[]> {
  const name = [version?.datasource, view.name, era, [...coverage.partitions], granularity, key];
  const ofRange = granularity === "all" ? [from, to] : [];
  return kept.get(JSON.stringify(["speed", ...name, ...ofRange]), { from, to }, async (range) => {
    const rows: StateRow[] = [];
    await read(
      view,
      [era],
      { key, ...range },
      (row) => {
        if (rowUse(coverage, row) === "closed")
          rows.push({ bucket: row.bucket, states: view.decode(JSON.parse(row.state)) });
      },
      // What is kept is read for all who ask: no one question's signal ends it.
      new AbortController().signal,
    );
    return compactSteps(view, mergeToSteps(view, rows, granularity));
  });
}
