import type { Reporter } from "./multilang.ts";

/** Reports failures that are tried again to the worker's log: the first of a kind at once, then one every 10 s. */
export function reportRetries(reporter: Reporter, what: string): (error: Error, failures: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  let unreported = 0;
  return (error) => {
    unreported++;
    const now = performance.now();
    if (now - last < 10_000) return;
    reporter.log("warn", `${what}; trying again (${unreported} failures since the last report): ${error.message}`);
    last = now;
    unreported = 0;
  };
}
