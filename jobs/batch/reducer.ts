import application from "#application";
import { Reducer } from "./reduce.ts";
import { runPhase } from "./streaming.ts";

const reducer = new Reducer(application);
await runPhase(reducer, () => {
  const { records, output } = reducer.counts;
  const byOutput = Object.entries(output).map(([view, count]) => [`output ${view}`, count] as const);
  return { "records reduced": records, ...Object.fromEntries(byOutput) };
});
