import * as z from "zod";
import { boundedText, quoted } from "../bounded-text.ts";
import { granularityMilliseconds } from "../views/granularity.ts";
import { millisecondsOf } from "../views/time.ts";
import { type AnswerGranularity, answerGranularities } from "./merge.ts";
import { layers } from "./query.ts";
import type { AnyView } from "./stores.ts";

/** The most keys that `top` returns. */
export const greatestLimit = 1_000;

function time(description: string) {
  return z
    .string()
    .transform((text, context) => {
      const milliseconds = millisecondsOf(text);
      if (!Number.isNaN(milliseconds)) return milliseconds;
      context.addIssue({
        code: "custom",
        message: `must be a date, or a time with its zone, in ISO 8601, e.g. 2015-09-12T08:00:00Z (a + is written %2B); it is ${quoted(text)}`,
      });
      return z.NEVER;
    })
    .optional()
    .describe(description);
}

const from = time("The first time step, in ISO 8601. Without it: from the first event.");
const to = time("The time step after the last one, in ISO 8601. Without it: to the last event.");
const layer = z
  .enum(layers)
  .default("merged")
  .describe("Which layers answer: batch and speed merged, or one of them alone.");

/** The query parameters of a view's answer for one key. Times are milliseconds since 1970. */
export function keyParameters(view: AnyView) {
  const fields = Object.fromEntries(
    view.keyFields.map((field) => [field, z.string().describe(`The value of the key's field ${field}.`)]),
  );
  const granularity = z
    .enum(answerGranularities(view) as [AnswerGranularity, ...AnswerGranularity[]])
    .default(view.granularity)
    .describe("The length of the answer's time steps, in UTC.");
  return z
    .strictObject({ ...fields, from, to, granularity, layer })
    .superRefine((request, context) =>
      checkRange(request, request.granularity === "all" ? view.granularity : request.granularity, context),
    );
}

const limitError = `must be a whole number from 1 to ${greatestLimit}`;

/** The query parameters of a view's largest keys. */
export function topParameters(view: AnyView) {
  return z
    .strictObject({
      measure: z.enum(Object.keys(view.measures)).describe("The measure by which keys are compared."),
      limit: z
        .string()
        // In digits alone: other writings of numbers (`1e2`, `0x10`, ` 7`) are mistakes more often than meant.
        .regex(/^[0-9]{1,4}$/, limitError)
        .transform(Number)
        .refine((limit) => limit >= 1 && limit <= greatestLimit, limitError)
        .default(10)
        .describe(`How many keys: a whole number from 1 to ${greatestLimit}.`),
      from,
      to,
      layer,
    })
    .superRefine((request, context) => checkRange(request, view.granularity, context));
}

function checkRange(
  request: { readonly from?: number | undefined; readonly to?: number | undefined },
  granularity: Exclude<AnswerGranularity, "all">,
  context: z.RefinementCtx,
): void {
  const step = granularityMilliseconds(granularity);
  for (const name of ["from", "to"] as const) {
    const value = request[name];
    if (value !== undefined && value % step !== 0)
      context.addIssue({
        code: "custom",
        path: [name],
        message: `must be the start of a UTC ${granularity}; it is ${new Date(value).toISOString()}`,
      });
  }
  if (request.from !== undefined && request.to !== undefined && request.from > request.to)
    context.addIssue({ code: "custom", path: ["from"], message: "must not be after to" });
}

/** A query parameter that does not fit. */
export interface ParameterError {
  readonly parameter: string;
  /** What is wrong with it, or what is wanted. */
  readonly detail: string;
}

/** The most that an error names: a query may have any number of parameters that there are not. */
const mostErrors = 20;

/** A query does not fit: one entry a parameter and problem. */
export class ParameterErrors extends Error {
  override readonly name = "ParameterErrors";
  readonly errors: readonly ParameterError[];

  constructor(issues: readonly z.core.$ZodIssue[], query: unknown) {
    const all = issues.flatMap((issue) => explain(issue, (query ?? {}) as Readonly<Record<string, unknown>>));
    const errors = all.slice(0, mostErrors);
    super(errors.map(({ detail }) => detail).join("; "));
    this.errors = errors;
  }
}

function explain(issue: z.core.$ZodIssue, query: Readonly<Record<string, unknown>>): ParameterError[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.slice(0, mostErrors).map((name) => {
      const parameter = boundedText(name, 80);
      return { parameter, detail: `there is no parameter ${parameter}` };
    });
  const parameter = String(issue.path[0] ?? "");
  return [{ parameter, detail: `${parameter} ${reason(issue, query[parameter])}` }];
}

function reason(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined) return "is missing";
  if (Array.isArray(value)) return "is given more than once";
  if (issue.code === "invalid_value") return `must be one of ${issue.values.join(", ")}`;
  return issue.message;
}
