import * as z from "zod";
import { granularityMilliseconds } from "../views/granularity.ts";
import { type AnswerGranularity, answerGranularities } from "./merge.ts";
import { layers } from "./query.ts";
import type { AnyView } from "./stores.ts";

/** The most keys that `top` returns. */
export const greatestLimit = 1_000;

/** To the minute, to the second or finer, or a date alone: its midnight in UTC. */
const timeForms = [z.iso.datetime({ offset: true, precision: -1 }), z.iso.datetime({ offset: true }), z.iso.date()];

function time(description: string) {
  return z
    .string()
    .refine((text) => timeForms.some((form) => form.safeParse(text).success), {
      abort: true,
      error: (issue) =>
        `must be a date, or a time with its zone, in ISO 8601, e.g. 2015-09-12T08:00:00Z (a + is written %2B); it is ${JSON.stringify(issue.input)}`,
    })
    .transform((text) => Date.parse(text))
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
      limit: z.coerce
        .number(limitError)
        .int(limitError)
        .min(1, limitError)
        .max(greatestLimit, limitError)
        .default(10)
        .describe("How many keys."),
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

/** A query does not fit: one entry a parameter and problem. */
export class ParameterErrors extends Error {
  override readonly name = "ParameterErrors";
  readonly errors: readonly ParameterError[];

  constructor(issues: readonly z.core.$ZodIssue[], query: unknown) {
    const errors = issues.flatMap((issue) => explain(issue, (query ?? {}) as Readonly<Record<string, unknown>>));
    super(errors.map(({ detail }) => detail).join("; "));
    this.errors = errors;
  }
}

function explain(issue: z.core.$ZodIssue, query: Readonly<Record<string, unknown>>): ParameterError[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((parameter) => ({ parameter, detail: `there is no parameter ${parameter}` }));
  const parameter = String(issue.path[0] ?? "");
  return [{ parameter, detail: `${parameter} ${reason(issue, query[parameter])}` }];
}

function reason(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined) return "is missing";
  if (Array.isArray(value)) return "is given more than once";
  if (issue.code === "invalid_value") return `must be one of ${issue.values.join(", ")}`;
  return issue.message;
}
