import { Cron } from "croner";

const wanted =
  "must be five fields of cron: minute 0-59, hour 0-23, day 1-31, month 1-12, weekday 0-6, each a number, a range, a list, " +
  "* or a step of these, e.g. */15";

const months = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec";
const weekdays = "sun|mon|tue|wed|thu|fri|sat";
/** What each field's values are; Sunday is 0 alone, since Kubernetes takes no 7. */
const values = ["\\d{1,2}", "\\d{1,2}", "\\d{1,2}", `\\d{1,2}|${months}`, `[0-6]|${weekdays}`];
const fields = values.map((value) => {
  const each = `((\\*|(${value})-(${value}))(/\\d{1,2})?|(${value}))`;
  return `${each}(,${each})*`;
});
const expression = new RegExp(`^${fields.join(" ")}$`, "i");

/**
 * What is wrong with a schedule, in words that follow its name; undefined if it is one. The rule is the same for all targets:
 * what both croner, which runs schedules on a machine, and Kubernetes' CronJob take and mean the same by. A schedule that
 * never comes is none.
 */
export function scheduleProblem(schedule: string): string | undefined {
  if (!expression.test(schedule)) return wanted;
  try {
    const next = new Cron(schedule, { mode: "5-part", timezone: "UTC", paused: true }).nextRun();
    return next === null ? "must be a time that comes: no month that it names has such a day" : undefined;
  } catch {
    // Croner counts months and days from 0: its words would name another value than the person's.
    return wanted;
  }
}
