import * as z from "zod";
import type { View } from "./views/view.ts";

/** What a person writes: the events' schema and the views over them. */
export interface Application<Event = unknown> {
  /** The schema of an event. What does not fit goes to the dead-letter topic. */
  readonly event: z.ZodType<Event>;
  readonly views: readonly View<Event>[];
}

/** The most views: Hadoop counts what a batch run did for each, and fails a job of more than 120 counters, its own included. */
const mostViews = 20;

/**
 * Defines an application. The schema is compiled, so that checking an event costs a fraction of parsing its JSON instead
 * of half as much again; a schema that zod cannot compile stays as it is, and says the same of every event either way.
 *
 * @throws {TypeError} if two views have the same name, or there is none, or more than 20
 */
export function application<Event>(args: Application<Event>): Application<Event> {
  if (args.views.length > mostViews)
    throw new TypeError(`application: there may be at most ${mostViews} views; there are ${args.views.length}`);
  if (args.views.length === 0) throw new TypeError("application: views needs at least one view");
  const names = args.views.map((view) => view.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`application: two views are named ${JSON.stringify(twice)}`);
  return { ...args, event: z.compile(args.event) };
}
