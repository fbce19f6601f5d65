/*
 * What a stack's program would change, with no cluster, account or network: the program runs under Pulumi's mocks, and its
 * plan is compared with the last accepted one, stacks/plans/<stack>.json. Prints Markdown:
 *
 *     npm run preview -- [--stack NAME | --all] [--update] [--against REVISION] [--config KEY=VALUE]…
 *
 * --all takes every stack that has an accepted plan. --update accepts the plan. --against compares with the plan that a git
 * revision holds. Exit code 1 where `up` would refuse it, unless the plan is accepted.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { awsPrice } from "../stacks/aws-price.ts";
import { budgetSummary } from "../stacks/budget.ts";
import type { StackConfiguration } from "../stacks/configuration.ts";
import { planChanges } from "../stacks/plan/changes.ts";
import { collectPlanAndDemands } from "../stacks/plan/collect.ts";
import { effectsOf } from "../stacks/plan/effects.ts";
import { previewMarkdown } from "../stacks/plan/markdown.ts";
import { type Plan, planText } from "../stacks/plan/plan.ts";
import { CommandLine, runCommandLine, UsageError } from "./command-line.ts";
import { checkout, defaultStack, projectStacks } from "./environment.ts";
import { configurationFile, configuredStacks, readStackConfiguration } from "./stack-configuration.ts";

await runCommandLine(async () => {
  const commandLine = new CommandLine(
    {
      name: "preview",
      usage: "[--stack NAME | --all] [--update] [--against REVISION] [--config KEY=VALUE]…",
      options: {
        stack: { type: "string", short: "s" },
        all: { type: "boolean" },
        update: { type: "boolean" },
        against: { type: "string" },
        config: { type: "string", multiple: true },
      },
    },
    process.argv.slice(2),
  );
  const { stack: named, all = false, update = false, against, config = [] } = commandLine.values;
  const stack = commandLine.stack(defaultStack);
  if (all && named !== undefined) commandLine.mistake("--all and --stack exclude each other");
  for (const each of config)
    if (!/^\w+=/.test(each)) commandLine.mistake(`--config is KEY=VALUE; it is ${JSON.stringify(each)}`);
  if (update && config.length > 0)
    commandLine.mistake("--update accepts what the stack's file says: it goes with no --config");
  commandLine.throwIfAny();
  const overrides = Object.fromEntries(config.map((each) => each.split(/=(.*)/s).slice(0, 2)));
  let refused = 0;
  for (const each of all ? plannedStacks() : [stack])
    refused += (await preview(each, { overrides, update, against })) ? 0 : 1;
  return refused === 0 ? 0 : 1;
});

interface PreviewOptions {
  readonly overrides: Readonly<Record<string, string>>;
  readonly update: boolean;
  readonly against: string | undefined;
}

/** Prints the preview of a stack. Returns whether Pulumi would do it, as far as that is known, or the plan is accepted. */
async function preview(stack: string, { overrides, update, against }: PreviewOptions): Promise<boolean> {
  if (!existsSync(configurationFile(stack)) && !projectStacks().includes(stack))
    throw new UsageError(
      `there is no stack ${stack}: it has no file ${basename(configurationFile(stack))}. Fix: name one of ` +
        `${configuredStacks().join(", ")}, or npm run pulumi -- stack init ${stack}`,
    );
  const configuration = configurationOf(stack, overrides);
  const { plan, demands } = await collectPlanAndDemands({ stack, configuration, checkout });
  const accepted = against === undefined ? planOfFile(stack) : planOfRevision(stack, against);
  const effects = effectsOf(planChanges(accepted, plan));
  console.log(previewMarkdown(stack, effects));
  console.log(`It takes ${budgetSummary(demands)}.\n`);
  if (configuration.target === "aws")
    console.log(`\`\`\`text\n${awsPrice(configuration, demands).join("\n")}\n\`\`\`\n`);
  if (!update) return effects.refused.length === 0 && effects.refusedArguments.length === 0;
  acceptPlan(plan);
  return true;
}

/** @throws {UsageError} with one line for each key that is wrong */
function configurationOf(stack: string, overrides: Readonly<Record<string, string>>): StackConfiguration {
  try {
    return readStackConfiguration(stack, overrides);
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error;
  }
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

/** @throws {UsageError} if there is no such revision */
function planOfRevision(stack: string, revision: string): Plan {
  const git = (...args: string[]) =>
    execFileSync("git", args, {
      cwd: checkout,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
      stdio: ["ignore", "pipe", "ignore"],
    });
  try {
    const { length } = git("ls-tree", revision, planFile(stack));
    return length === 0 ? { stack, resources: [] } : JSON.parse(git("show", `${revision}:${planFile(stack)}`));
  } catch {
    throw new UsageError(`git has no revision ${JSON.stringify(revision)} here. Fix: git fetch`);
  }
}
