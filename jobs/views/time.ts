/** The times that every store keeps: the years 1 to 9999, in milliseconds since 1970 (UTC). */
const earliest = Date.parse("0001-01-01T00:00:00Z");
const latest = Date.parse("9999-12-31T23:59:59.999Z") + 1;

/** ISO 8601 with a time zone, or a date alone, which ISO 8601 in JavaScript takes as UTC. */
const zoned = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

// The views of an application mostly ask for the same event's time, one after the other.
let lastText = "";
let lastMilliseconds = Number.NaN;

/**
 * A time in whole milliseconds since 1970 (UTC); NaN if it is none that every machine understands alike: a text that
 * is not ISO 8601 or has no time zone, or a time outside the years 1 to 9999.
 */
export function millisecondsOf(time: string | number | Date): number {
  if (typeof time === "string") {
    if (time === lastText) return lastMilliseconds;
    lastMilliseconds = zoned.test(time) ? within(Date.parse(time)) : Number.NaN;
    lastText = time;
    return lastMilliseconds;
  }
  return within(typeof time === "number" ? time : time instanceof Date ? time.getTime() : Number.NaN);
}

function within(milliseconds: number): number {
  return milliseconds >= earliest && milliseconds < latest ? Math.floor(milliseconds) : Number.NaN;
}
