import { join } from "node:path";
import { cacheFolder } from "../../components/cache-folder.mjs";
import { type GoProgram, goBuild, recipeDigest } from "../setup/go-build.mjs";
import { withLock } from "../setup/lock.mjs";
import { checkout } from "../setup/paths.mjs";
import { executables, isExecutable } from "../setup/prerequisites.mjs";
import { SetupError, say, step } from "../setup/progress.mjs";
import { publish } from "../setup/publish.mjs";

const actionlint: GoProgram = {
  module: join(checkout, "test", "toolchain", "actionlint"),
  package: "github.com/rhysd/actionlint/cmd/actionlint",
  program: "actionlint",
  linkerFlags: "-s -w",
};

/**
 * Builds the linter of the workflows under .github from pinned Go modules, once a machine.
 *
 * @returns the absolute path of the program
 * @throws {SetupError} if there is no Go
 */
export async function ensureActionlint(): Promise<string> {
  const folder = join(cacheFolder(), `actionlint-${recipeDigest([actionlint])}-${process.platform}-${process.arch}`);
  const program = join(folder, "actionlint");
  if (isExecutable(program)) return program;
  if (executables("go").length === 0)
    throw new SetupError("actionlint is built with Go, which was not found: install Go 1.21 or newer.");
  await withLock(join(cacheFolder(), "actionlint.lock"), async () => {
    if (isExecutable(program)) return;
    say("Building actionlint (once a machine; about 10 s of CPU time)");
    await publish(folder, async (scratch) => {
      await step("building actionlint", () => goBuild([actionlint], scratch));
      return scratch;
    });
  });
  return program;
}
