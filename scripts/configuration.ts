/*
 * Writes what repeats the stack's configuration schema (stacks/configuration.ts): the config block of Pulumi.yaml, the
 * JSON schema for editors, and the README's table:
 *
 *     npm run configuration
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stackFileSchema, withConfigBlock, withConfigurationTable } from "../stacks/configuration-documents.ts";
import { runCommandLine, withoutOptions } from "./command-line.ts";
import { checkout } from "./environment.ts";

await runCommandLine(() => {
  withoutOptions("configuration", process.argv.slice(2));
  rewrite("Pulumi.yaml", withConfigBlock);
  rewrite("README.md", withConfigurationTable);
  writeFileSync(join(checkout, "stacks/configuration.schema.json"), stackFileSchema());
});

function rewrite(name: string, change: (before: string) => string): void {
  const file = join(checkout, name);
  writeFileSync(file, change(readFileSync(file, "utf8")));
}
