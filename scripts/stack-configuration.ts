import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { parseStackConfiguration, type StackConfiguration } from "../stacks/configuration.ts";
import { checkout, project } from "./setup/paths.mjs";

/**
 * What the text of a stack's configuration file says of this project's keys, as texts. Encrypted ones are left out: only
 * the program sees what they say.
 */
export function stackFileValues(configuration: string): Record<string, string> {
  const { config } = (parse(configuration) ?? {}) as { config?: Record<string, unknown> | null };
  const prefix = `${project}:`;
  return Object.fromEntries(
    Object.entries(config ?? {})
      .filter(([key, value]) => key.startsWith(prefix) && !(value instanceof Object && "secure" in value))
      .map(([key, value]) => [key.slice(prefix.length), value instanceof Object ? JSON.stringify(value) : `${value}`]),
  );
}

/**
 * The configuration that a stack's file says; the defaults where there is no file.
 *
 * @param overrides values over those of the file. Default: none
 * @throws {TypeError} with one line for each key that is wrong
 */
export function readStackConfiguration(
  stack: string,
  overrides: Readonly<Record<string, string>> = {},
): StackConfiguration {
  const file = join(checkout, `Pulumi.${stack}.yaml`);
  const values = existsSync(file) ? stackFileValues(readFileSync(file, "utf8")) : {};
  return parseStackConfiguration({ ...values, ...overrides });
}

/**
 * The text of a stack's configuration file without the `encryptionsalt` that the CLI adds, unless the file has secrets,
 * which need it.
 */
export function withoutEncryptionSalt(configuration: string): string {
  if (/^\s+secure:/m.test(configuration)) return configuration;
  return configuration.replace(/^encryptionsalt: .*\n?/m, "");
}
