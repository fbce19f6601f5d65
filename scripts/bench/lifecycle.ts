import { check } from "../demo/check.ts";
import { Log } from "../demo/log.ts";
import { takeDown } from "../take-down.ts";
import { Feed } from "./feed.ts";
import { memoryBySystem } from "./memory.ts";
import type { Results } from "./results.ts";
import { bringUp, pulumi, timed } from "./session.ts";

/** Events of the first answer. */
const firstEvents = 1_000;

/** A stack's life: from nothing to the first exact answer, `up` and `preview` with nothing to do, `destroy`. */
export async function measureLifecycle(
  results: Results,
  { stack, application, runs }: { stack: string; application: string; runs: number },
): Promise<void> {
  const subject = { part: "lifecycle", of: "whole stack", unit: "s" } as const;
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    const since = () => (performance.now() - began) / 1_000;
    try {
      await using session = await bringUp(stack, application);
      results.add({ ...subject, what: "up, from nothing" }, since());
      await using feed = await Feed.open(session.architecture, "generated");
      await feed.send(feed.prepare(firstEvents));
      const log = new Log(session.architecture);
      const first = await check(session.architecture, log, { queries: 1, settled: true });
      await log.close();
      if (first.differing > 0) throw new Error(`the first answer is wrong: ${JSON.stringify(first.differ)}`);
      results.add({ ...subject, what: "up, to the first exact answer" }, since());
      const { stackArguments } = session;
      const again = await timed(() =>
        pulumi(["up", "--yes", "--skip-preview", "--expect-no-changes", ...stackArguments]),
      );
      results.add({ ...subject, what: "up, nothing to do" }, again.seconds);
      const preview = await timed(() => pulumi(["preview", "--expect-no-changes", ...stackArguments]));
      results.add({ ...subject, what: "preview" }, preview.seconds);
      for (const [system, value] of await memoryBySystem(stack))
        results.add({ part: "lifecycle", of: "memory, just up", what: system, unit: "MiB" }, value);
    } catch (error) {
      await takeDown(stack);
      throw error;
    }
    const down = await timed(() => takeDown(stack));
    if (down.result !== 0) throw new Error(`destroy failed with exit code ${down.result}`);
    results.add({ ...subject, what: "destroy" }, down.seconds);
  }
}
