import { diffLines } from "diff";
import type { PropertyChange, ResourceChange } from "./changes.ts";
import type { Effects } from "./effects.ts";
import type { PlannedResource, PropertyPath } from "./plan.ts";

/** Characters of a value up to which it is shown whole, beside the other. */
const shortValue = 80;
/** Characters of a text's line that are shown. */
const longestLine = 160;
/** Lines of a text's difference that are shown at most. */
const mostLines = 16;

/** The effects of a plan's changes as Markdown, those on data first. */
export function previewMarkdown(stack: string, effects: Effects): string {
  const { refused, refusedArguments, data, created, updated, replaced, deleted } = effects;
  const counts = Object.entries({
    created: created.length,
    changed: updated.length,
    replaced: replaced.length,
    deleted: deleted.length,
  }).filter(([, count]) => count > 0);
  if (counts.length === 0) return `### Preview of ${stack}: no changes\n`;
  const sections = [
    `### Preview of ${stack}: ${counts.map(([what, count]) => `${count} ${what}`).join(", ")}`,
    refused.length === 0
      ? []
      : [`**Pulumi will refuse this**: ${names(refused)} ${refused.length === 1 ? "is" : "are"} protected.`],
    section(
      "`up` will refuse this where the stack has been up before",
      refusedArguments.map((sentence) => `- ${sentence}`),
    ),
    section("Effects on data", data.length === 0 ? ["- none"] : data.map((sentence) => `- ${sentence}`)),
    section(
      "Servers restart, each line after the one before",
      effects.restarts.map((step, index) => `${index + 1}. ${step.map((name) => `\`${name}\``).join(", ")}`),
    ),
    section("Created", list(created)),
    section("Changed", changes(updated)),
    section("Replaced", changes(replaced)),
    section("Deleted", list(deleted)),
  ];
  return `${sections
    .filter((each) => each.length > 0)
    .map((each) => [each].flat().join("\n"))
    .join("\n\n")}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`**${title}**`, "", ...lines];
}

function names(resources: readonly PlannedResource[]): string {
  return resources.map(({ name }) => `\`${name}\``).join(", ");
}

/** A line a type. */
function list(resources: readonly PlannedResource[]): string[] {
  return [...Map.groupBy(resources, ({ type }) => type)].map(([type, group]) => `- ${type}: ${names(group)}`);
}

/** What changes in the same way is told once. */
function changes(all: readonly ResourceChange[]): string[] {
  const groups = Map.groupBy(all, (change) => change.properties.flatMap(property).join("\n"));
  return [...groups].flatMap(([text, group]) => [
    `- ${group.map(renaming).join(", ")}`,
    ...text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => `  ${line}`),
  ]);
}

function renaming({ before, after }: ResourceChange): string {
  return before.name === after.name ? `\`${after.name}\`` : `\`${before.name}\`, now \`${after.name}\``;
}

function property({ path, before, after }: PropertyChange): string[] {
  const name = `- \`${pathText(path)}\``;
  const [old, news] = [linesOf(before), linesOf(after)];
  if (old !== undefined && news !== undefined && (old + news).includes("\n"))
    return [`${name}:`, "  ```diff", ...lineDifference(old, news).map((line) => `  ${line}`), "  ```"];
  if (before === undefined) return [`${name}: set to ${valueText(after)}`];
  if (after === undefined) return [`${name}: no longer set`];
  const [from, to] = aroundDifference(textOf(before), textOf(after), shortValue);
  return [`${name}: \`${from}\` → \`${to}\``];
}

function pathText(path: PropertyPath): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      if (!/^\w+$/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join("");
}

function valueText(value: unknown): string {
  const text = textOf(value);
  return `\`${text.length <= shortValue ? text : `${text.slice(0, shortValue)}…`}\``;
}

/** The value in one line. */
function textOf(value: unknown): string {
  const text = isText(value) ? value : JSON.stringify(value);
  const [line = "", ...more] = text.split("\n");
  return more.some((each) => each !== "") ? `${line}…` : line;
}

/** Two texts, each cut to a part that shows where they differ. */
function aroundDifference(before: string, after: string, longest: number): [before: string, after: string] {
  if (before.length <= longest && after.length <= longest) return [before, after];
  let same = 0;
  while (same < Math.min(before.length, after.length) && before[same] === after[same]) same++;
  const from = Math.max(0, same - Math.floor(longest / 4));
  const cut = (text: string) =>
    `${from > 0 ? "…" : ""}${text.slice(from, from + longest)}${text.length > from + longest ? "…" : ""}`;
  return [cut(before), cut(after)];
}

function lineDifference(before: string, after: string): string[] {
  const linesOfPart = (text: string) => text.replace(/\n$/, "").split("\n");
  const parts = diffLines(before, after);
  const lines = parts.flatMap(({ value, added, removed }, index) => {
    if (!added && !removed) return [];
    // A line that took the place of another one is shown where it differs from it.
    const other = added ? parts[index - 1] : parts[index + 1];
    const isPair = added ? other?.removed : other?.added;
    const counterparts = isPair ? linesOfPart(other?.value ?? "") : [];
    return linesOfPart(value).map((line, at) => {
      const [shown] = aroundDifference(line, counterparts[at] ?? "", longestLine);
      return `${added ? "+" : "-"} ${shown}`;
    });
  });
  if (lines.length <= mostLines) return lines;
  return [...lines.slice(0, mostLines), `… ${lines.length - mostLines} more lines`];
}

/** The value as lines, if that is what it is best compared by: a text, or a list of texts. */
function linesOf(value: unknown): string | undefined {
  if (isText(value)) return value;
  return Array.isArray(value) && value.every(isText) ? value.map((line) => `${line}\n`).join("") : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
