/** The first and the last time that every store keeps, those of the years 1 to 9999, in milliseconds since 1970 (UTC). */
export const earliestTime = Date.parse("0001-01-01T00:00:00Z");
export const latestTime = Date.parse("9999-12-31T23:59:59.999Z");

/** ISO 8601 with a time zone, or a date alone, which ISO 8601 in JavaScript takes as UTC. */
const zoned = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** A day of `Date.parse`'s own format, `2026-01-01T00:00:00Z`, with or without milliseconds. */
const [dayLength, secondsLength, millisecondsLength] = [10, 20, 24];

// The views of an application mostly ask for the same event's time, one after the other, and most events that follow
// each other are of one day.
let lastText = "";
let lastMilliseconds = Number.NaN;
let lastDay = "";
let lastDayMilliseconds = Number.NaN;

/**
 * A time in whole milliseconds since 1970 (UTC); NaN if it is none that every machine understands alike: a text that
 * is not ISO 8601 or has no time zone, or a time outside the years 1 to 9999.
 */
export function millisecondsOf(time: string | number | Date): number {
  if (typeof time === "string") {
    if (time === lastText) return lastMilliseconds;
    lastMilliseconds = ofLastDay(time) ?? within(zoned.test(time) ? Date.parse(time) : Number.NaN);
    lastText = time;
    return lastMilliseconds;
  }
  return within(typeof time === "number" ? time : time instanceof Date ? time.getTime() : Number.NaN);
}

/** The same for a time of the usual form on the day of the one before: `Date.parse` takes several times as long. */
function ofLastDay(time: string): number | undefined {
  const { length } = time;
  if ((length !== secondsLength && length !== millisecondsLength) || !time.endsWith("Z")) return undefined;
  if (!time.startsWith(lastDay) || lastDay === "") {
    // What is no ISO 8601, `Date.parse` guesses at, a day otherwise than a time.
    const day = time.slice(0, dayLength);
    const isDay = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/.test(day);
    const milliseconds = isDay ? within(Date.parse(day)) : Number.NaN;
    if (Number.isNaN(milliseconds)) return undefined;
    lastDay = day;
    lastDayMilliseconds = milliseconds;
  }
  if (time[10] !== "T" || time[13] !== ":" || time[16] !== ":") return undefined;
  const [hours, minutes, seconds] = [twoDigits(time, 11), twoDigits(time, 14), twoDigits(time, 17)];
  if (!(hours < 24 && minutes < 60 && seconds < 60)) return undefined;
  const whole = lastDayMilliseconds + ((hours * 60 + minutes) * 60 + seconds) * 1_000;
  if (length === secondsLength) return whole;
  const milliseconds = twoDigits(time, 20) * 10 + (time.charCodeAt(22) - zero);
  const isDigit = time.charCodeAt(22) >= zero && time.charCodeAt(22) <= zero + 9;
  return time[19] === "." && isDigit && milliseconds >= 0 ? whole + milliseconds : undefined;
}

const zero = 48;

/** The number of two digits; NaN if they are none. */
function twoDigits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - zero, text.charCodeAt(at + 1) - zero];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

function within(milliseconds: number): number {
  return milliseconds >= earliestTime && milliseconds < latestTime + 1 ? Math.floor(milliseconds) : Number.NaN;
}
