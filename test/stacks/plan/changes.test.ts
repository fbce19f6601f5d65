import { expect, test } from "vitest";
import { planChanges, propertyChanges } from "../../../stacks/plan/changes.ts";
import { plan, resource } from "./resources.ts";

test("what is new, what is gone and what is otherwise; the rest is not told", () => {
  const before = plan(
    resource("gone"),
    resource("same", { inputs: { a: 1 } }),
    resource("other", { inputs: { a: 1 } }),
  );
  const after = plan(resource("same", { inputs: { a: 1 } }), resource("other", { inputs: { a: 2 } }), resource("new"));
  const { created, deleted, changed } = planChanges(before, after);
  expect(created).toEqual([resource("new")]);
  expect(deleted).toEqual([resource("gone")]);
  expect(changed.map(({ after: { name }, properties }) => [name, properties])).toEqual([
    ["other", [{ path: ["a"], before: 1, after: 2 }]],
  ]);
});

test("a resource of another type is another resource", () => {
  const { created, deleted, changed } = planChanges(plan(resource("a")), plan(resource("a", { type: "test:index:B" })));
  expect([created.length, deleted.length, changed.length]).toEqual([1, 1, 0]);
});

test("a renamed resource stays with an alias, and so does what belongs to it; without one it goes", () => {
  const before = plan(resource("old"), resource("old-a", { parent: "old" }), resource("old-a-b", { parent: "old-a" }));
  const renamed = (options: object) =>
    plan(resource("new", { options }), resource("new-a", { parent: "new" }), resource("new-a-b", { parent: "new-a" }));
  const kept = planChanges(before, renamed({ aliases: [{ name: "old" }] }));
  expect(kept.changed.map((change) => [change.before.name, change.after.name])).toEqual([
    ["old", "new"],
    ["old-a", "new-a"],
    ["old-a-b", "new-a-b"],
  ]);
  expect([kept.created, kept.deleted]).toEqual([[], []]);
  const lost = planChanges(before, renamed({}));
  expect([lost.created.length, lost.deleted.length, lost.changed.length]).toEqual([3, 3, 0]);
});

test("an alias can be of the type too", () => {
  const after = plan(resource("a", { type: "test:index:B", options: { aliases: [{ type: "test:index:Thing" }] } }));
  expect(planChanges(plan(resource("a")), after)).toMatchObject({ created: [], deleted: [] });
});

test("properties are compared leaf by leaf, lists of one length item by item", () => {
  const before = { files: { "a.b": { content: "x" }, gone: 1 }, list: [1, { a: 1 }], lengths: [1] };
  const after = { files: { "a.b": { content: "y" }, added: 2 }, list: [1, { a: 2 }], lengths: [1, 2] };
  expect(propertyChanges(before, after)).toEqual([
    { path: ["files", "a.b", "content"], before: "x", after: "y" },
    { path: ["files", "added"], before: undefined, after: 2 },
    { path: ["files", "gone"], before: 1, after: undefined },
    { path: ["lengths"], before: [1], after: [1, 2] },
    { path: ["list", 1, "a"], before: 1, after: 2 },
  ]);
});
