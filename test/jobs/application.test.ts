import fc from "fast-check";
import { expect, it } from "vitest";
import * as z from "zod";
import { application } from "../../jobs/application.ts";
import { count } from "../../jobs/measures/index.ts";
import { generate } from "../../jobs/sources/generator.ts";
import { view } from "../../jobs/views/view.ts";
import { wikipediaEdit } from "../../jobs/wikipedia/event.ts";
import wikipedia from "../../jobs/wikipedia/index.ts";

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
  const many = (count: number) => Array.from({ length: count }, (_, index) => named(`view-${index}`));
  expect(application({ event, views: many(20) }).views).toHaveLength(20);
  expect(() => application({ event, views: many(21) })).toThrow(
    "application: there may be at most 20 views; there are 21",
  );
});

it("the compiled schema says of every event what the given one says", () => {
  const { event: compiled } = wikipedia;
  expect(compiled).not.toBe(wikipediaEdit);
  const fields = fc.constantFrom(...Object.keys(wikipediaEdit.shape), "another");
  fc.assert(
    fc.property(fc.nat(1_000), fc.dictionary(fields, fc.jsonValue(), { maxKeys: 2 }), (index, changes) => {
      const edit: unknown = JSON.parse(JSON.stringify({ ...generate(1, index), ...changes }));
      const [found, expected] = [compiled.safeParse(edit), wikipediaEdit.safeParse(edit)];
      expect(JSON.stringify(found.data)).toBe(JSON.stringify(expected.data));
      expect(found.error?.issues).toEqual(expected.error?.issues);
    }),
  );
});
