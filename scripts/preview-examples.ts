/*
 * Writes the previews of typical changes into the README:
 *
 *     npm run preview:examples
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { previewExamples, withExamples } from "../stacks/plan/examples.ts";
import { runCommandLine, withoutOptions } from "./command-line.ts";
import { checkout, defaultStack } from "./environment.ts";
import { readStackConfiguration } from "./stack-configuration.ts";

await runCommandLine(async () => {
  withoutOptions("preview:examples", process.argv.slice(2));
  const file = join(checkout, "README.md");
  const examples = await previewExamples(checkout, {
    dev: readStackConfiguration(defaultStack),
    prod: readStackConfiguration("prod"),
  });
  writeFileSync(file, withExamples(readFileSync(file, "utf8"), examples));
});
