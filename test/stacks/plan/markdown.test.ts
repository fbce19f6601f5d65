import { expect, test } from "vitest";
import { planChanges } from "../../../stacks/plan/changes.ts";
import { effectsOf } from "../../../stacks/plan/effects.ts";
import { previewMarkdown } from "../../../stacks/plan/markdown.ts";
import type { PlannedResource } from "../../../stacks/plan/plan.ts";
import { architecture, plan, resource, service } from "./resources.ts";

const markdown = (before: readonly PlannedResource[], after: readonly PlannedResource[]) =>
  previewMarkdown("test", effectsOf(planChanges(plan(...before), plan(...after))));

test("nothing new is one line", () => {
  expect(markdown([resource("a")], [resource("a")])).toBe("### Preview of test: no changes\n");
});

test("effects on data come first, what changes alike is told once, texts by their lines", () => {
  const file = (text: string) => ({ inputs: { files: { "server.properties": { content: text } } } });
  const before = [
    architecture({ views: { "edits-by-page": "07da545a" } }),
    service("broker-0", { ...file("id=0\nretention=1\n"), dependsOn: [] }),
    service("broker-1", file("id=0\nretention=1\n")),
    service("store", { inputs: { stateful: true }, options: { protect: true } }),
    resource("thing", { inputs: { size: 1, list: ["a", "b"], old: true } }),
  ];
  const after = [
    architecture({ views: { "edits-by-page": "9b3c505f" } }),
    service("broker-0", file("id=0\nretention=2\n")),
    service("broker-1", file("id=0\nretention=2\n")),
    resource("thing", { inputs: { size: 2, list: ["a", "c", "d"], news: { a: 1 } } }),
    resource("other"),
  ];
  expect(markdown(before, after)).toBe(`### Preview of test: 1 created, 4 changed, 1 deleted

**Pulumi will refuse this**: \`store\` is protected.

**Effects on data**

- deletes \`store\`, which keeps the data of store: its data stays; it is protected, so Pulumi **refuses**
- recomputes the view \`edits-by-page\`, because its code changed, or the form of its stored rows (07da545a → 9b3c505f)

**Servers restart, each line after the one before**

1. \`broker-0\`, \`broker-1\`

**Created**

- test:index:Thing: \`other\`

**Changed**

- \`lambda\`
  - \`views["edits-by-page"]\`: \`07da545a\` → \`9b3c505f\`
- \`broker-0\`, \`broker-1\`
  - \`files["server.properties"].content\`:
    \`\`\`diff
    - retention=1
    + retention=2
    \`\`\`
- \`thing\`
  - \`list\`:
    \`\`\`diff
    - b
    + c
    + d
    \`\`\`
  - \`news\`: set to \`{"a":1}\`
  - \`old\`: no longer set
  - \`size\`: \`1\` → \`2\`

**Deleted**

- local:index:Service: \`store\`
`);
});

test("a renamed resource is told by both names, a long text by its first lines", () => {
  const lines = (word: string) => Array.from({ length: 30 }, (_, index) => `${word} ${index}\n`).join("");
  const before = [resource("old", { inputs: { text: lines("a") } })];
  const text = markdown(before, [
    resource("new", { options: { aliases: [{ name: "old" }] }, inputs: { text: lines("b") } }),
  ]);
  expect(text).toContain("- `old`, now `new`");
  expect(text).toContain("    … 44 more lines\n");
});

test("two texts that are too long are shown where they differ", () => {
  const text = (word: string) => `${"a".repeat(300)}${word}${"b".repeat(300)}`;
  const value = markdown(
    [resource("a", { inputs: { of: text("OLD") } })],
    [resource("a", { inputs: { of: text("NEW") } })],
  );
  expect(value).toMatch(/- `of`: `…a{20}OLDb{57}…` → `…a{20}NEWb{57}…`/);
  const lines = (word: string) => ({ inputs: { of: `same\n${text(word)}\nsame\n` } });
  const file = markdown([resource("a", lines("OLD"))], [resource("a", lines("NEW"))]);
  expect(file).toMatch(/^ {4}- …a{40}OLDb+…\n {4}\+ …a{40}NEWb+…$/m);
});

test("what `up` will refuse comes before everything else", () => {
  const before = { topic: "edits", chunkSize: 100, partitions: 5, storage: "hdfs" };
  const text = markdown([architecture(before)], [architecture({ ...before, chunkSize: 200, retentionHours: 1 })]);
  expect(text).toMatch(
    /^### Preview of test: 1 changed\n\n\*\*`up` will refuse this where the stack has been up before\*\*\n\n- `chunkSize` cannot change from 100 to 200, since .*\n\n\*\*Effects on data/,
  );
});
