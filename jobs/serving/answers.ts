/** The shapes of the API's answers, for its documentation. */
import * as z from "zod";
import type { AnyMeasure } from "../measures/measure.ts";
import { answerGranularities } from "./merge.ts";
import type { AnyView } from "./stores.ts";

const offsets = z.record(z.string(), z.int()).describe("Offsets by partition.");

const contains = z
  .object({
    version: z.string().nullable().describe("The batch view's version; null as long as there is none."),
    horizon: offsets.describe("By partition, where the batch view ends and the speed view begins."),
    speed: offsets.describe("By partition, where the answer ends: it holds every event before, and none after."),
    log: offsets.describe("By partition, where the log ends."),
    lag: z.int().describe("The log's offsets that the answer does not hold yet."),
    holes: z
      .array(
        z.object({
          partition: z.int(),
          from: z.int(),
          to: z.int(),
          accepted: z.boolean().describe("Whether a person has accepted the loss."),
        }),
      )
      .describe("Offsets whose events are lost; the answer ends before a partition's first that nobody has accepted."),
    problems: z.array(z.string()).describe("Reasons why the answer may lack or misplace events."),
    complete: z
      .boolean()
      .describe("Whether the answer holds every event: nothing lags, no hole that is not accepted, no problem."),
  })
  .describe("Exactly which events the answer holds.");

/** What a measure answers: only a sum may have more digits than a number holds. */
function value({ kind }: Pick<AnyMeasure<never>, "kind">) {
  const digits = z.string().describe("All digits of a sum that a number does not hold.");
  return kind === "sum" ? z.union([z.number(), digits]) : z.number();
}

function measures(view: AnyView) {
  return Object.fromEntries(Object.entries(view.measures).map(([name, measure]) => [name, value(measure).nullable()]));
}

function key(view: AnyView) {
  return z.object(Object.fromEntries(view.keyFields.map((field) => [field, z.string()])));
}

/** The answer for one key. */
export function keyAnswerSchema(view: AnyView) {
  return z.object({
    view: z.literal(view.name),
    key: key(view),
    granularity: z.enum(answerGranularities(view)),
    rows: z
      .array(z.object({ time: z.iso.datetime(), ...measures(view) }))
      .describe("In order of time; a step without events has no row. With granularity all: one, of its first step."),
    total: z.object(measures(view)),
    contains,
  });
}

/** The largest keys. */
export function topAnswerSchema(view: AnyView) {
  return z.object({
    view: z.literal(view.name),
    measure: z.enum(Object.keys(view.measures)),
    rows: z
      .array(z.object({ key: key(view), value: z.union(Object.values(view.measures).map(value)) }))
      .describe("Largest first; equal values in the order of the keys' JSON, by UTF-16 unit."),
    contains,
  });
}

/** The list of views. */
export const viewsSchema = z.object({
  views: z.array(
    z.object({
      name: z.string(),
      keyFields: z.array(z.string()),
      granularity: z.string().describe("The finest time step that can be asked for."),
      measures: z.array(z.object({ name: z.string(), kind: z.string() })),
      version: z.string().nullable().describe("The current batch view; null as long as there is none."),
      horizon: offsets.nullable(),
      retained: z.array(z.string()).describe("Older versions that are still kept, newest first."),
    }),
  ),
});
