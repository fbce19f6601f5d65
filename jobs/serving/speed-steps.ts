import type { Version } from "../batch/versions.ts";
import { type ClosedEra, type EraPart, rowUse } from "./coverage.ts";
import type { StateRow, Step } from "./merge.ts";
import { RowBudget } from "./row-budget.ts";
import { keptSteps, type SpanCache } from "./span-cache.ts";
import type { AnyView, Selection, SpeedRow, StepsSelection } from "./stores.ts";

/**
 * A key's steps in a closed part of an era of a speed view, kept as those of a batch view are: of a key that was asked for before,
 * only the rows of the eras at the log's end are read.
 *
 * They are named after the batch view's version too: as long as it answers, nothing past its horizon is deleted, so that
 * what is kept under its name was read whole.
 *
 * @param read reads rows of an era, for all who ask
 */
export function speedSteps(
  read: (view: AnyView, eras: readonly EraPart[], selection: Selection, take: (row: SpeedRow) => void) => Promise<void>,
  kept: SpanCache,
  view: AnyView,
  version: Version | undefined,
  { era, coverage }: ClosedEra,
  selection: StepsSelection,
): Promise<readonly Step[]> {
  const place = ["speed", version?.datasource, view.name, era, [...coverage.partitions]];
  return keptSteps(kept, place, view, selection, async (range) => {
    const rows: StateRow[] = [];
    const budget = new RowBudget(view);
    const parts = [{ era, partitions: [...coverage.partitions.keys()] }];
    await read(view, parts, { key: selection.key, ...range }, (row) => {
      if (rowUse(coverage, row) !== "closed") return;
      budget.take(row.state.length);
      rows.push({ bucket: row.bucket, states: view.decode(JSON.parse(row.state)) });
    });
    return rows;
  });
}
