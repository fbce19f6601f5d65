import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse } from "yaml";
import { parseStackConfiguration, type StackConfiguration, secretKeys } from "../stacks/configuration.ts";
import { checkout, project } from "./setup/paths.mjs";

/** What a stack's configuration file says of this project's keys. */
export interface StackFileValues {
  /** As texts. Of encrypted ones the program alone sees what they say: the secrets among the keys stand here as a mark. */
  readonly values: Readonly<Record<string, string>>;
  /** The keys that are encrypted. */
  readonly encrypted: ReadonlySet<string>;
}

/** What stands for a secret that only the program may see. */
const encryptedMark = "(encrypted)";

/** What the text of a stack's configuration file says of this project's keys. */
export function stackFileValues(configuration: string): StackFileValues {
  const { config } = (parse(configuration) ?? {}) as { config?: Record<string, unknown> | null };
  const prefix = `${project}:`;
  const own = Object.entries(config ?? {})
    .filter(([key]) => key.startsWith(prefix))
    .map(([key, value]) => [key.slice(prefix.length), value] as const);
  const encrypted = new Set(own.filter(([, value]) => isEncrypted(value)).map(([key]) => key));
  const values = own
    .filter(([key]) => !encrypted.has(key) || secretKeys.includes(key))
    .map(([key, value]) => [
      key,
      encrypted.has(key) ? encryptedMark : value instanceof Object ? JSON.stringify(value) : `${value}`,
    ]);
  return { values: Object.fromEntries(values), encrypted };
}

function isEncrypted(value: unknown): boolean {
  return value instanceof Object && "secure" in value;
}

/** A stack's name without those of organization and project, which someone's own backend has before it. */
export function ownName(stack: string): string {
  return stack.split("/").at(-1) ?? "";
}

/** The absolute path of the file of a stack's configuration. */
export function configurationFile(stack: string): string {
  return join(checkout, `Pulumi.${ownName(stack)}.yaml`);
}

/** The names of the stacks that have a file of their configuration, in order. */
export function configuredStacks(): string[] {
  return readdirSync(checkout)
    .flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
}

/**
 * The configuration that a stack's file says; the defaults where there is no file. Secrets in it are a mark.
 *
 * @param overrides values over those of the file. Default: none
 * @throws {TypeError} with one line for each key that is wrong
 */
export function readStackConfiguration(
  stack: string,
  overrides: Readonly<Record<string, string>> = {},
): StackConfiguration {
  const file = configurationFile(stack);
  const { values, encrypted } = fileValues(file);
  return parseStackConfiguration({ ...values, ...overrides }, encrypted, stack);
}

/** @throws {TypeError} naming the file if it is no YAML */
function fileValues(file: string): StackFileValues {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "";
  try {
    return stackFileValues(text);
  } catch (error) {
    throw new TypeError(`${basename(file)} cannot be read: ${(error as Error).message.split("\n")[0]}`);
  }
}

/**
 * The text of a stack's configuration file without the `encryptionsalt` that the CLI adds, unless the file has secrets,
 * which need it.
 */
export function withoutEncryptionSalt(configuration: string): string {
  if (/^\s+secure:/m.test(configuration)) return configuration;
  return configuration.replace(/^encryptionsalt: .*\n?/m, "");
}
