/*
 * What a stack's program would change, with no cluster, account or network: the program runs under Pulumi's mocks, and its
 * plan is compared with the last accepted one, stacks/plans/<stack>.json. Prints Markdown:
 *
 *     npm run preview -- [--stack NAME | --all] [--update] [--against REVISION] [--config KEY=VALUE]…
 *
 * --all takes every stack that has an accepted plan. --update accepts the plan. --against compares with the plan that a git revision holds. Exit code 1 where a protected
 * resource would go, unless the plan is accepted.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { awsPrice } from "../stacks/aws-price.ts";
import { budgetSummary } from "../stacks/budget.ts";
import { planChanges } from "../stacks/plan/changes.ts";
import { collectPlanAndDemands } from "../stacks/plan/collect.ts";
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
      all: { type: "boolean", default: false },
      update: { type: "boolean", default: false },
      against: { type: "string" },
      config: { type: "string", multiple: true, default: [] },
    },
  });
  const overrides = Object.fromEntries(values.config.map((each) => each.split(/=(.*)/s).slice(0, 2)));
  let refused = 0;
  for (const stack of values.all ? plannedStacks() : [values.stack]) {
    const configuration = readStackConfiguration(stack, overrides);
    const { plan, demands } = await collectPlanAndDemands({ stack, configuration, checkout });
    const accepted = values.against === undefined ? planOfFile(stack) : planOfRevision(stack, values.against);
    const effects = effectsOf(planChanges(accepted, plan));
    console.log(previewMarkdown(stack, effects));
    console.log(`It takes ${budgetSummary(demands)}.\n`);
    if (configuration.target === "aws")
      console.log(`\`\`\`text\n${awsPrice(configuration, demands).join("\n")}\n\`\`\`\n`);
    if (values.update) acceptPlan(plan);
    else refused += effects.refused.length;
  }
  return refused === 0 ? 0 : 1;
}

function acceptPlan(plan: Plan): void {
  const file = join(checkout, planFile(plan.stack));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, planText(plan));
}

/** The stacks with an accepted plan. */
function plannedStacks(): string[] {
  return readdirSync(join(checkout, dirname(planFile("")))).map((file) => basename(file, ".json"));
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
