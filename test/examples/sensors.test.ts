import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { loadApplication } from "../../components/application.ts";
import { decodeEvent } from "../../jobs/events/decode.ts";
import { Oracle, type OracleAnswer } from "../../jobs/oracle/oracle.ts";
import { fileSource } from "../../jobs/sources/file.ts";
import { Aggregate } from "../../jobs/views/aggregate.ts";

const folder = new URL("../../examples/sensors/", import.meta.url);
const { application } = await loadApplication(fileURLToPath(new URL("index.ts", folder)));
const decoded: ReturnType<typeof decodeEvent>[] = [];
for await (const batch of fileSource(fileURLToPath(new URL("readings.jsonl", folder))))
  for (const { value } of batch) decoded.push(decodeEvent(application, Buffer.from(value), 1_000_000));

function answer(name: string, key: string[], granularity: "minute" | "hour" | "all"): OracleAnswer {
  const view = application.views.find((each) => each.name === name);
  if (view === undefined) throw new Error(`there is no view ${name}`);
  const oracle = new Oracle(view);
  decoded.forEach(({ event }, offset) => {
    oracle.add({ partition: 0, offset, event });
  });
  return oracle.key(key, { end: { 0: decoded.length } }, {}, granularity);
}

test("what is no reading is set aside with its reason", () => {
  expect(decoded.map(({ reason }) => reason)).toEqual([
    ...Array(5).fill(undefined),
    "temperature: Invalid input: expected number, received string",
    undefined,
  ]);
});

test("a sensor's readings by the minute, one that came late among them", () => {
  expect(answer("readings-by-sensor", ["h-1"], "minute")).toEqual({
    rows: [
      { time: "2026-03-01T06:00:00.000Z", readings: 3, mean: 9.65 / 3, coldest: 2.9, warmest: 3.5, firmwares: 1 },
      { time: "2026-03-01T07:01:00.000Z", readings: 1, mean: 4.85, coldest: 4.85, warmest: 4.85, firmwares: 1 },
    ],
    total: { readings: 4, mean: 3.625, coldest: 2.9, warmest: 4.85, firmwares: 2 },
  });
});

test("a site's readings by the hour", () => {
  expect(answer("readings-by-site", ["harbour"], "hour")).toEqual({
    rows: [
      { time: "2026-03-01T06:00:00.000Z", readings: 4, mean: 3.4375, sensors: 2 },
      { time: "2026-03-01T07:00:00.000Z", readings: 1, mean: 4.85, sensors: 1 },
    ],
    total: { readings: 5, mean: 3.72, sensors: 2 },
  });
});

test("batch and speed views, merged, are one pass over all", () => {
  const events = decoded.flatMap(({ event }) => (event === undefined ? [] : [event]));
  for (const view of application.views) {
    const [batch, speed, all] = [new Aggregate(view), new Aggregate(view), new Aggregate(view)];
    events.forEach((event, index) => {
      expect(all.add(event)).toBeUndefined();
      (index < 3 ? batch : speed).add(event);
    });
    for (const row of speed.rows()) batch.merge(row);
    const answers = (aggregate: typeof all) =>
      [...aggregate.rows()].map(({ key, bucket, states }) => ({ key, bucket, ...view.extract(states) }));
    expect(answers(batch)).toEqual(expect.arrayContaining(answers(all)));
    expect(batch.size).toBe(all.size);
  }
});
