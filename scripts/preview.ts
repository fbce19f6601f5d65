/*
 * What a stack's program would change, with no cluster, account or network: the program runs under Pulumi's mocks, and its
 * plan is compared with the last accepted one, stacks/plans/<stack>.json. Prints Markdown:
 *
 *     npm run preview -- [--stack NAME] [--update] [--against REVISION] [--config KEY=VALUE]…
 *
 * --update accepts the plan. --against compares with the plan that a git revision holds. Exit code 1 where a protected
 * resource would go, unless the plan is accepted.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { planChanges } from "../stacks/plan/changes.ts";
import { collectPlan } from "../stacks/plan/collect.ts";
import { effectsOf } from "../stacks/plan/effects.ts";
import { previewMarkdown } from "../stacks/plan/markdown.ts";
import { type Plan, planText } from "../stacks/plan/plan.ts";
import { checkout, defaultStack } from "./environment.ts";
import { readStackConfiguration } from "./stack-configuration.ts";

try {
  process.exitCode = await preview();
} catch (error) {
  console.error(error instanceof TypeError ? error.message : error);
  process.exitCode = 2;
}

async function preview(): Promise<number> {
  const { values } = parseArgs({
    options: {
      stack: { type: "string", short: "s", default: defaultStack },
      update: { type: "boolean", default: false },
      against: { type: "string" },
      config: { type: "string", multiple: true, default: [] },
    },
  });
  const { stack } = values;
  const overrides = Object.fromEntries(values.config.map((each) => each.split(/=(.*)/s).slice(0, 2)));
  const plan = await collectPlan({ stack, configuration: readStackConfiguration(stack, overrides), checkout });
  const accepted = values.against === undefined ? planOfFile(stack) : planOfRevision(stack, values.against);
  const effects = effectsOf(planChanges(accepted, plan));
  console.log(previewMarkdown(stack, effects));
  if (values.update) {
    const file = join(checkout, planFile(stack));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, planText(plan));
    return 0;
  }
  return effects.refused.length === 0 ? 0 : 1;
}

function planFile(stack: string): string {
  return join("stacks", "plans", `${stack}.json`);
}

/** The accepted plan; an empty one for a stack that has none yet. */
function planOfFile(stack: string): Plan {
  const file = join(checkout, planFile(stack));
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { stack, resources: [] };
}

/** @throws {TypeError} if there is no such revision */
function planOfRevision(stack: string, revision: string): Plan {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: checkout, encoding: "utf8", maxBuffer: 2 ** 28 });
  try {
    const { length } = git("ls-tree", revision, planFile(stack));
    return length === 0 ? { stack, resources: [] } : JSON.parse(git("show", `${revision}:${planFile(stack)}`));
  } catch {
    throw new TypeError(`git has no revision ${JSON.stringify(revision)} here. Mend: git fetch`);
  }
}
