import type { PlayedDeadLetters } from "../../jobs/sources/dead-letters.ts";
import type { Played } from "../../jobs/sources/play.ts";

/** Characters of a reason that are shown. */
const longestReason = 200;

/** How far playing has come, in words. */
export function progressText({ events, seconds }: Played): string {
  const rate = seconds > 0 ? Math.round(events / seconds) : 0;
  return `${events.toLocaleString("en")} events in ${seconds.toFixed(1)} s, ${rate.toLocaleString("en")} a second`;
}

/** An event that is too large, in words. @param where what it is to people, e.g. `line 3` */
export function tooLargeText(where: string, bytes: number, most: number): string {
  return `${where} is not played: it has ${bytes.toLocaleString("en")} bytes, and an event has ${most.toLocaleString("en")} at most`;
}

/**
 * What became of the events that were played, in lines.
 *
 * @param letters undefined if nothing was played
 * @param unit what a place is: `line`, or `event`
 */
export function outcomeLines(letters: PlayedDeadLetters | undefined, unit: string): string[] {
  if (letters === undefined) return [];
  const { letters: count, first, unknown } = letters;
  const more = count - first.length;
  return [
    ...(count === 0 ? [] : [`${count.toLocaleString("en")} of them became dead letters:`]),
    ...first.map(({ place, reason }) => `  ${unit} ${place}: ${shortened(reason)}`),
    ...(more > 0 ? [`  and ${more.toLocaleString("en")} more`] : []),
    ...(unknown === undefined ? [] : [`how many became dead letters is not known for all of them: ${unknown}`]),
  ];
}

function shortened(reason: string): string {
  const line = reason.replaceAll(/\s+/g, " ");
  return line.length <= longestReason ? line : `${line.slice(0, longestReason)}…`;
}
