import { existsSync, writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { loadApplication } from "../../components/application.ts";
import { serverPathProblem } from "../../components/targets/local/server-path.ts";
import { decodeEvent } from "../../jobs/events/decode.ts";
import { generate } from "../../jobs/sources/generator.ts";
import type { StackConfiguration } from "../../stacks/configuration.ts";
import { UsageError } from "../command-line.ts";
import { checkout, hasOwnBackend, projectStacks } from "../environment.ts";
import { configurationFile } from "../stack-configuration.ts";
import type { DemoOptions } from "./options.ts";

/** The configuration of a stack that the demo makes: it comes and goes with the demo, data included. */
export function demoStackFile(target: string): string {
  return [
    "# Made by npm run demo for a stack of its own: servers and data come and go together.",
    "config:",
    `  lambda-architecture:target: ${target}`,
    '  lambda-architecture:ephemeral: "true"',
    '  lambda-architecture:deleteData: "true"',
    "",
  ].join("\n");
}

/**
 * Gives a stack that there is not yet a file of its configuration.
 *
 * @param say told if it made one
 * @returns whether it made one
 */
export function prepareStack({ stack, target }: DemoOptions, say: (line: string) => void): boolean {
  const file = configurationFile(stack);
  if (existsSync(file) || hasOwnBackend() || projectStacks().includes(stack)) return false;
  writeFileSync(file, demoStackFile(target), { flag: "wx" });
  say(`there was no stack ${stack}: it is made ephemeral, its data goes with it (${basename(file)})`);
  return true;
}

/**
 * What of a stack's configuration the demo cannot work with, found before anything starts.
 *
 * @throws {UsageError} with the fix
 */
export async function checkDemo(options: DemoOptions, configuration: StackConfiguration): Promise<void> {
  const { stack, target, down, input } = options;
  const pathProblem = target === "local" ? serverPathProblem(checkout, "the project's folder") : undefined;
  if (pathProblem !== undefined) throw new UsageError(pathProblem);
  if (configuration.target !== target)
    throw new UsageError(
      `the stack ${stack} is on the target ${configuration.target}, not on ${target}. Fix: another --stack, or ` +
        `npm run pulumi -- config set target ${target} --stack ${stack}`,
    );
  if (down && !configuration.ephemeral)
    throw new UsageError(
      `--down cannot take the stack ${stack} down: what keeps data is protected, since it is not ephemeral. Fix: leave out ` +
        `--down, or npm run pulumi -- config set ephemeral true --stack ${stack}`,
    );
  if (input !== undefined) return;
  const problem = await generatorProblem(resolve(checkout, configuration.application));
  if (problem !== undefined)
    throw new UsageError(
      `the application of the stack ${stack}, ${configuration.application}, takes no edits of Wikipedia, which the demo makes ` +
        `up (${problem}). Fix: name a file of its events, npm run demo -- --input FILE`,
    );
}

/** Edits of the generator that are tried. */
const triedEdits = 100;

/** Why the application takes no edits; undefined if it takes all that are tried. */
export async function generatorProblem(module: string): Promise<string | undefined> {
  const { application } = await loadApplication(module);
  for (let index = 0; index < triedEdits; index++) {
    const value = Buffer.from(JSON.stringify(generate(1, index)));
    const { event, reason } = decodeEvent(application, value, value.length);
    if (reason !== undefined) return shortened(reason);
    for (const view of application.views) {
      const problem = view.problem(event);
      if (problem !== undefined) return shortened(`view ${view.name}: ${problem}`);
    }
  }
  return undefined;
}

function shortened(reason: string): string {
  return reason.length <= 100 ? reason : `${reason.slice(0, 100)}…`;
}
