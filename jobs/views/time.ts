/** The first and the last time that every store keeps, those of the years 1 to 9999, in milliseconds since 1970 (UTC). */
export const earliestTime = Date.parse("0001-01-01T00:00:00Z");
export const latestTime = Date.parse("9999-12-31T23:59:59.999Z");

/** The most characters of a time's text: what is longer says no more than its first milliseconds. */
export const longestTime = 64;

// The views of an application mostly ask for the same event's time, one after the other, and most events that follow
// each other are of one day.
let lastText = "";
let lastMilliseconds = Number.NaN;
let lastDay = "";
let lastDayMilliseconds = Number.NaN;

/**
 * A time in whole milliseconds since 1970 (UTC), finer parts left out; NaN if it is none that every machine understands
 * alike: a text that is not ISO 8601, has no time zone or is longer than {@link longestTime}, a day that does not exist
 * (30 February), a leap second, or a time outside the years 1 to 9999. `24:00:00` is the next day's beginning.
 */
export function millisecondsOf(time: string | number | Date): number {
  if (typeof time === "string") {
    if (time === lastText) return lastMilliseconds;
    if (time.length > longestTime) return Number.NaN;
    lastMilliseconds = within(parsed(time));
    lastText = time;
    return lastMilliseconds;
  }
  return within(typeof time === "number" ? time : time instanceof Date ? time.getTime() : Number.NaN);
}

/**
 * What {@link millisecondsOf} says of a text, of whatever years: `2026-01-01`, or `2026-01-01T12:30` with or without seconds
 * and their fraction, and `Z` or `+01:00`. `Date.parse` would take more, and moves 30 February into March; and this is
 * done for every event, by character, since a regular expression takes several times as long.
 */
function parsed(time: string): number {
  const day = dayOf(time);
  if (time.length === dayLength) return day;
  if (time[10] !== "T" || time[13] !== ":") return Number.NaN;
  const [hours, minutes] = [twoDigits(time, 11), twoDigits(time, 14)];
  let [seconds, milliseconds, at, isWhole] = [0, 0, 16, true];
  if (time[16] === ":") {
    seconds = twoDigits(time, 17);
    at = 19;
    if (time[19] === ".") {
      let unit = 100;
      for (at = 20; isDigit(time, at); at++) {
        const digit = time.charCodeAt(at) - zero;
        milliseconds += digit * unit;
        // What is finer than a millisecond is left out.
        unit = unit === 1 ? 0 : unit / 10;
        isWhole &&= digit === 0;
      }
      if (at === 20) return Number.NaN;
    }
  }
  const isDaysEnd = hours === 24 && minutes === 0 && seconds === 0 && isWhole;
  if (!((hours < 24 || isDaysEnd) && minutes < 60 && seconds < 60)) return Number.NaN;
  return day + ((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds - zoneOf(time, at);
}

const dayLength = 10;
const zero = 48;

/** The milliseconds that a time zone, which the text must end with, is ahead of UTC; NaN if it is none. */
function zoneOf(time: string, at: number): number {
  if (time[at] === "Z") return time.length === at + 1 ? 0 : Number.NaN;
  const sign = time[at] === "+" ? 1 : time[at] === "-" ? -1 : Number.NaN;
  const [hours, minutes] = [twoDigits(time, at + 1), twoDigits(time, at + 4)];
  if (time.length !== at + 6 || time[at + 3] !== ":" || !(hours < 24 && minutes < 60)) return Number.NaN;
  return sign * (hours * 60 + minutes) * 60_000;
}

/** The first millisecond (UTC) of the day that a text begins with; NaN if that is no day, or does not exist. */
function dayOf(time: string): number {
  if (lastDay !== "" && time.startsWith(lastDay)) return lastDayMilliseconds;
  if (time[4] !== "-" || time[7] !== "-") return Number.NaN;
  const year = twoDigits(time, 0) * 100 + twoDigits(time, 2);
  const [month, day] = [twoDigits(time, 5), twoDigits(time, 8)];
  const isLeapDay = month === 2 && day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  if (!(year >= 0 && day >= 1 && (day <= (days[month - 1] ?? 0) || isLeapDay))) return Number.NaN;
  lastDay = time.slice(0, dayLength);
  // `Date.UTC` takes the year 26 for 1926. Four centuries are always as long.
  lastDayMilliseconds = Date.UTC(year + 400, month - 1, day) - fourCenturies;
  return lastDayMilliseconds;
}

/** The days of the months of a year that is no leap year. */
const days = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const fourCenturies = 146_097 * 86_400_000;

/** The number of two digits; NaN if they are none. */
function twoDigits(text: string, at: number): number {
  if (!isDigit(text, at) || !isDigit(text, at + 1)) return Number.NaN;
  return (text.charCodeAt(at) - zero) * 10 + text.charCodeAt(at + 1) - zero;
}

function isDigit(text: string, at: number): boolean {
  const digit = text.charCodeAt(at) - zero;
  return digit >= 0 && digit <= 9;
}

function within(milliseconds: number): number {
  return milliseconds >= earliestTime && milliseconds < latestTime + 1 ? Math.floor(milliseconds) : Number.NaN;
}
