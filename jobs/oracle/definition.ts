/**
 * What a view's definition says of one event, read plainly: its time step, its key, and whether it fits. The oracle
 * shares nothing of it with the layers, whose own reading is made for speed.
 */
import type { ViewArgs } from "../views/view.ts";

/** The lengths of the time steps in milliseconds. */
export const stepMilliseconds = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** The most bytes of a key as JSON, see the README, "Measures". */
const mostKeyBytes = 32_000;
/** The most characters of a time. */
const mostTimeCharacters = 64;

/** Where an event belongs. */
export interface OraclePlace {
  readonly key: readonly string[];
  /** The start of the view's time step, in milliseconds since 1970 (UTC). */
  readonly bucket: number;
}

/** Where an event belongs in a view; undefined if it does not fit. */
export function placeOf<Event>(definition: ViewArgs<Event>, event: Event): OraclePlace | undefined {
  try {
    const time = timeOf(definition.time(event));
    const key = Object.values(definition.key).map((value) => value(event));
    const fits =
      time !== undefined &&
      key.every((value) => typeof value === "string" && value.isWellFormed()) &&
      new TextEncoder().encode(JSON.stringify(key)).length <= mostKeyBytes &&
      Object.values(definition.measures).every((measure) => measure.problem?.(event) === undefined);
    if (!fits) return undefined;
    const step = stepMilliseconds[definition.granularity];
    return { key, bucket: Math.floor(time / step) * step };
  } catch {
    return undefined;
  }
}

const year = 365.2425 * stepMilliseconds.day;

/** A time of the years 1 to 9999 in milliseconds since 1970; undefined if it is none. */
export function timeOf(time: string | number | Date): number | undefined {
  const milliseconds =
    typeof time === "string" ? timeOfText(time) : Math.floor(Number(typeof time === "number" ? time : dateOf(time)));
  if (milliseconds === undefined || !(Math.abs(milliseconds) < 10_000 * year)) return undefined;
  const written = new Date(milliseconds).getUTCFullYear();
  return written >= 1 && written <= 9_999 ? milliseconds : undefined;
}

function dateOf(time: unknown): number {
  return time instanceof Date ? time.getTime() : Number.NaN;
}

function timeOfText(text: string): number | undefined {
  if (text.length > mostTimeCharacters) return undefined;
  const [date = "", ...rest] = text.split("T");
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || rest.length > 1) return undefined;
  // A day that exists is written as itself again.
  const day = new Date(`${date}T00:00:00.000Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== date) return undefined;
  if (rest[0] === undefined) return day.getTime();
  const parts = /^(?<hour>\d\d):(?<minute>\d\d)(:(?<second>\d\d)(\.(?<fraction>\d+))?)?(?<zone>Z|[+-]\d\d:\d\d)$/.exec(
    rest[0],
  )?.groups;
  if (parts === undefined) return undefined;
  const [hour, minute, second] = [parts.hour, parts.minute, parts.second ?? "0"].map(Number) as [
    number,
    number,
    number,
  ];
  const isMidnight = hour === 24 && minute === 0 && second === 0 && !/[1-9]/.test(parts.fraction ?? "");
  if ((hour > 23 && !isMidnight) || minute > 59 || second > 59) return undefined;
  const zone = parts.zone === undefined || parts.zone === "Z" ? "+00:00" : parts.zone;
  const [zoneHour, zoneMinute] = [Number(zone.slice(1, 3)), Number(zone.slice(4))];
  if (zoneHour > 23 || zoneMinute > 59) return undefined;
  const ahead = (zoneHour * 3_600_000 + zoneMinute * 60_000) * (zone[0] === "-" ? -1 : 1);
  const thousandths = Number(`${parts.fraction ?? ""}000`.slice(0, 3));
  return day.getTime() + hour * 3_600_000 + minute * 60_000 + second * 1_000 + thousandths - ahead;
}
