import application from "#application";
import { Mapper } from "./map.ts";
import { runPhase } from "./streaming.ts";

const mapper = new Mapper(application);
await runPhase(mapper, () => {
  const { lines, invalid, skipped } = mapper.counts;
  const bySkipped = Object.entries(skipped).map(([view, count]) => [`skipped ${view}`, count] as const);
  return { "lines mapped": lines, invalid, ...Object.fromEntries(bySkipped) };
});
