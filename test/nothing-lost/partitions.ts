import { expect, test } from "vitest";
import { checkUntil } from "../../scripts/demo/check.ts";
import { Log } from "../../scripts/demo/log.ts";
import type { WholeArchitecture } from "../support/whole-architecture.ts";

/**
 * Steps and expected results:
 * 1. There come two partitions more, on a stack that has made batches: every answer equals one pass in memory, before the
 *    next batch (whose predecessor deleted the eras that the new partitions begin in), while it runs, and after it.
 * 2. Each pointer names every partition.
 * 3. The next batch begins with deleting what no version needs: still nothing is missing.
 *
 * @param whole the running stack
 */
export function registerPartitions(whole: () => WholeArchitecture): void {
  test("partitions that come later lose nothing: before a batch, while it runs, and after it", async () => {
    const partitions = whole().architecture.configuration.partitions + 2;
    await whole().up({ partitions: String(partitions) });
    expect(whole().architecture.configuration.partitions).toBe(partitions);
    await whole().playGenerated(101, 12_000);
    await whole().expectExact();

    let over = false;
    const log = new Log(whole().architecture);
    const asking = checkUntil(() => over, whole().architecture, log);
    await Promise.all([whole().runBatch(), whole().playGenerated(102, 6_000, 400)]);
    over = true;
    expect(await asking).toMatchObject({ differing: 0, differ: [] });
    await log.close();

    await whole().expectExact();
    for (const { name } of (await whole().ask("/views")).views) {
      const { contains } = await whole().ask(`/views/${name}/top?measure=edits&limit=1`);
      expect(Object.keys(contains.horizon)).toEqual(Array.from({ length: partitions }, (_, number) => String(number)));
      expect(contains).toMatchObject({ complete: true, holes: [], problems: [] });
      expect(Math.min(...Object.values<number>(contains.horizon))).toBeGreaterThan(0);
    }
    await whole().playGenerated(103, 6_000);
    await whole().runBatch();
    await whole().expectExact();
  });
}
