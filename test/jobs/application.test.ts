import { expect, it } from "vitest";
import * as z from "zod";
import { application } from "../../jobs/application.ts";
import { count } from "../../jobs/measures/index.ts";
import { view } from "../../jobs/views/view.ts";

const event = z.object({ time: z.string(), name: z.string() });
const named = (name: string) =>
  view<z.infer<typeof event>>({
    name,
    time: (one) => one.time,
    granularity: "day",
    key: { name: (one) => one.name },
    measures: { number: count() },
  });

it("an application has views, of different names", () => {
  expect(application({ event, views: [named("one"), named("two")] }).views).toHaveLength(2);
  expect(() => application({ event, views: [] })).toThrow("application: views needs at least one view");
  expect(() => application({ event, views: [named("one"), named("one")] })).toThrow(
    'application: two views are named "one"',
  );
});
