/** What the model's events are, its views, and what is right by a plain look at all events. */
import * as z from "zod";
import { application } from "../../jobs/application.ts";
import { count, sum } from "../../jobs/measures/index.ts";
import { view } from "../../jobs/views/view.ts";

const eventSchema = z.object({
  time: z.string(),
  sensor: z.string(),
  value: z.number(),
  region: z.string().optional(),
});

export type Event = z.infer<typeof eventSchema>;

export const bySensor = view<Event>({
  name: "by-sensor",
  time: (event) => event.time,
  granularity: "hour",
  key: { sensor: (event) => event.sensor },
  measures: { events: count(), value: sum((event) => event.value) },
});

/** A view that cannot take every event: not those without a region. */
export const byRegion = view<Event>({
  name: "by-region",
  time: (event) => event.time,
  granularity: "day",
  key: { region: (event) => event.region as string },
  measures: { value: sum((event) => event.value), events: count() },
});

export const readings = application<Event>({ event: eventSchema, views: [bySensor, byRegion] });

export const sensors = ["a", "b"] as const;
export const regions = ["north", "south"] as const;

/** An event that Kafka has acknowledged, and where it is. */
export interface Acknowledged {
  readonly event: Event;
  readonly partition: number;
  readonly offset: number;
}

/** A row of an answer. */
export interface OracleRow {
  readonly time: string;
  readonly events: number;
  readonly value: number;
}

/** The key in a view; undefined if the view cannot take the event. */
export function keyIn(name: string, event: Event): string | undefined {
  return name === "by-sensor" ? event.sensor : event.region;
}

/** The rows of a key, by a direct count and sum over all events. */
export function rowsOf(name: string, key: string, events: readonly Acknowledged[]): OracleRow[] {
  const rows = new Map<string, OracleRow>();
  for (const { event } of events) {
    if (keyIn(name, event) !== key) continue;
    const time =
      name === "by-sensor" ? `${event.time.slice(0, 13)}:00:00.000Z` : `${event.time.slice(0, 10)}T00:00:00.000Z`;
    const row = rows.get(time) ?? { time, events: 0, value: 0 };
    rows.set(time, { time, events: row.events + 1, value: row.value + event.value });
  }
  return [...rows.values()].sort((a, b) => (a.time < b.time ? -1 : 1));
}

/** The sum of all of a key's values, by key: the largest first. */
export function totalsOf(name: string, events: readonly Acknowledged[]): { key: string; value: number }[] {
  const totals = new Map<string, number>();
  for (const { event } of events) {
    const key = keyIn(name, event);
    if (key !== undefined) totals.set(key, (totals.get(key) ?? 0) + event.value);
  }
  return [...totals]
    .map(([key, value]) => ({ key, value }))
    .sort((a, b) => b.value - a.value || (a.key < b.key ? -1 : 1));
}
