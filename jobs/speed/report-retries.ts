import { ReportLimit } from "../report-limit.ts";
import type { Reporter } from "./multilang.ts";

/** Reports failures that are tried again to the worker's log: the first of a kind at once, then one every 10 s. */
export function reportRetries(reporter: Reporter, what: string): (error: Error, failures: number) => void {
  const limit = new ReportLimit();
  return (error) => {
    const failures = limit.note(what);
    if (failures === undefined) return;
    reporter.log("warn", `${what}; trying again (${failures} failures since the last report): ${error.message}`);
  };
}
