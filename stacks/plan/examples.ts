import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as pulumi from "@pulumi/pulumi";
import type { StackConfiguration } from "../configuration.ts";
import type { ProgramChanges } from "../program.ts";
import { planChanges } from "./changes.ts";
import { collectPlan } from "./collect.ts";
import { effectsOf } from "./effects.ts";
import { previewMarkdown } from "./markdown.ts";
import type { Plan } from "./plan.ts";

/** A change as somebody may make it, and the preview that it gets. */
export interface Example {
  readonly title: string;
  readonly markdown: string;
}

/**
 * Previews of typical changes, for the README: of a view's code, of the number of brokers and of the architecture's name,
 * the last one in a stack that is not ephemeral; and of the encryption of prod's bucket.
 *
 * @param checkout the absolute path of the project's folder
 */
export async function previewExamples(
  checkout: string,
  { dev, prod }: { readonly dev: StackConfiguration; readonly prod: StackConfiguration },
): Promise<Example[]> {
  const planOf = (stack: string, configuration: StackConfiguration, changes: ProgramChanges = {}) =>
    collectPlan({ stack, configuration, checkout, changes });
  const plan = (changes?: ProgramChanges, others: Partial<StackConfiguration> = {}) =>
    planOf("dev", { ...dev, ...others }, changes);
  const example = (title: string, before: Plan, after: Plan): Example => ({
    title,
    markdown: withoutHashes(previewMarkdown(after.stack, effectsOf(planChanges(before, after)))),
  });
  const application = copiedApplication(checkout);
  try {
    const original = await plan(undefined, { application: application.module });
    application.edit("edits-by-page.ts", "edit.added", "Math.max(0, edit.added)");
    const edited = await plan(undefined, { application: application.module });
    const kept = { ephemeral: false, deleteData: false };
    return [
      example("a view's code", original, edited),
      example("the number of brokers", await plan(), await plan({ args: { kafka: { replicas: 3 } } })),
      example(
        "the encryption of prod's bucket",
        await planOf("prod", prod),
        await planOf("prod", prod, { options: { transformations: [encryptedTwice] } }),
      ),
      example(
        "the architecture's name, where the stack is not `ephemeral`",
        await plan({}, kept),
        await plan({ name: "wiki" }, kept),
      ),
    ];
  } finally {
    application.remove();
  }
}

/** As a program may change what a component makes: buckets are encrypted in two layers. */
const encryptedTwice: pulumi.ResourceTransformation = ({ type, props, opts }) => {
  if (!type.startsWith("aws:s3/bucketServerSideEncryptionConfiguration:")) return undefined;
  const rules = (props as BucketEncryption).rules.map(({ applyServerSideEncryptionByDefault: byDefault, ...rule }) => ({
    ...rule,
    applyServerSideEncryptionByDefault: { ...byDefault, sseAlgorithm: "aws:kms:dsse" },
  }));
  return { props: { ...props, rules }, opts };
};

interface BucketEncryption {
  readonly rules: readonly { readonly applyServerSideEncryptionByDefault: object }[];
}

/** The application in a folder of its own, always the same one: its path is a part of the bundles. */
function copiedApplication(checkout: string) {
  const folder = join(checkout, ".lambda", "preview-examples");
  mkdirSync(folder, { recursive: true });
  const jobs = join(checkout, "jobs");
  cpSync(join(jobs, "wikipedia"), folder, { recursive: true });
  const rewrite = (file: string, change: (text: string) => string) =>
    writeFileSync(join(folder, file), change(readFileSync(join(folder, file), "utf8")));
  for (const file of ["edits-by-channel.ts", "edits-by-page.ts", "event.ts", "index.ts"])
    rewrite(file, (text) => text.replaceAll('"../', `"${jobs}/`));
  return {
    module: join(folder, "index.ts"),
    /** @throws {Error} if the text is not there, since nothing would change then */
    edit: (file: string, from: string, to: string) =>
      rewrite(file, (text) => {
        if (!text.includes(from)) throw new Error(`${file} has no ${from} any more: change another part of it`);
        return text.replace(from, to);
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Hashes of code, which change with every change of the project, as dots. */
function withoutHashes(markdown: string): string {
  return markdown.replaceAll(
    /(?<![0-9a-zA-Z])(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)([0-9a-f]{12}|[0-9a-f]{8})(?![0-9a-zA-Z])/g,
    "…",
  );
}

/** The examples as the README has them. */
function examplesMarkdown(examples: readonly Example[]): string {
  return examples
    .map(({ title, markdown }) => `<details>\n<summary>A change of ${title}</summary>\n\n${markdown}\n</details>`)
    .join("\n\n");
}

const [begin, end] = ["<!-- npm run preview:examples -->\n", "\n<!-- end -->"];

/**
 * The text of the README with these examples.
 *
 * @param before the present text
 * @throws {Error} if it has no place for them
 */
export function withExamples(before: string, examples: readonly Example[]): string {
  const from = before.indexOf(begin);
  const to = before.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`README.md has no ${begin.trim()} … ${end.trim()}`);
  return before.slice(0, from + begin.length) + examplesMarkdown(examples) + before.slice(to);
}
