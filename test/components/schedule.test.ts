import { Cron } from "croner";
import { describe, expect, test } from "vitest";
import { scheduleProblem } from "../../components/schedule.ts";

describe("a schedule", () => {
  test.each([
    "0 * * * *",
    "*/15 1-5 * * 0",
    "0,30 0 1 jan-mar MON,wed",
    "0 0 29 2 *",
    "0 0 31 2 1",
    "5-50/5 * * * 1-5",
  ])("%j is one", (schedule) => expect(scheduleProblem(schedule)).toBeUndefined());

  test.each([
    ...["60 * * * *", "a b c d e", "*/61 * * * *", "0 0 1 13 *", "@hourly", "0 * * * * *", " 0 * * * *", "0 * * * * "],
    ...["-1 * * * *", "H * * * *", "0  * * * *", "", "0 24 * * *", "0 0 0 * *", "30-10 * * * *", "*/0 * * * *"],
  ])("%j is none", (schedule) => expect(scheduleProblem(schedule)).toMatch(/^must be five fields of cron/));

  test.each(["0 0 31 2 *", "0 0 30,31 2 *", "0 0 31 4,6,9,11 *"])("%j never comes", (schedule) =>
    expect(scheduleProblem(schedule)).toMatch(/^must be a time that comes/),
  );

  test.each(["0 0 * * 7", "5/15 * * * *", "0 0 L * *", "0 0 * * 1#2", "0 0 15W * *", "? * * * *"])(
    "%j is refused, since croner and Kubernetes do not both take it or do not mean the same by it",
    (schedule) => expect(scheduleProblem(schedule)).toMatch(/^must be five fields/),
  );

  test("that is one runs on the local runner", () => {
    for (const schedule of ["0 0 1 jan-mar MON,wed", "5-50/5 * * * 1-5"])
      expect(new Cron(schedule, { mode: "5-part", timezone: "UTC", paused: true }).nextRun()).not.toBeNull();
  });
});
