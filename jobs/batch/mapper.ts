import application from "#application";
import { contentCounters } from "./content-counters.ts";
import { Mapper } from "./map.ts";
import { runPhase } from "./streaming.ts";

const mapper = new Mapper(application);
await runPhase(mapper, () => {
  const { content, invalid, skipped } = mapper.counts;
  const bySkipped = Object.entries(skipped).map(([view, count]) => [`skipped ${view}`, count] as const);
  return { ...contentCounters(content), invalid, ...Object.fromEntries(bySkipped) };
});
