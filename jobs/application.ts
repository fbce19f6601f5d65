import * as z from "zod";
import type { View } from "./views/view.ts";

/** What a person writes: the events' schema and the views over them. */
export interface Application<Event = unknown> {
  /** The schema of an event. What does not fit goes to the dead-letter topic. */
  readonly event: z.ZodType<Event>;
  readonly views: readonly View<Event>[];
}

/**
 * Defines an application. The schema is compiled, so that checking an event costs a fraction of parsing its JSON instead
 * of half as much again; a schema that zod cannot compile stays as it is, and says the same of every event either way.
 *
 * @throws {TypeError} if two views have the same name, or there is none
 */
export function application<Event>(args: Application<Event>): Application<Event> {
  if (args.views.length === 0) throw new TypeError("application: views needs at least one view");
  const names = args.views.map((view) => view.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new TypeError(`application: two views are named ${JSON.stringify(twice)}`);
  return { ...args, event: z.compile(args.event) };
}
