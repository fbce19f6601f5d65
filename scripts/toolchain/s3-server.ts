import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../components/cache-folder.mjs";
import { withLock } from "../setup/lock.mjs";
import { checkout } from "../setup/paths.mjs";
import { executables } from "../setup/prerequisites.mjs";
import { run, SetupError, step } from "../setup/progress.mjs";
import { publish } from "../setup/publish.mjs";

const requirements = join(checkout, "test", "toolchain", "s3-server", "requirements.txt");

/**
 * Installs moto, a server that speaks S3's protocol, from PyPI into an environment of its own, once a machine.
 *
 * @returns the absolute path of its Python; it runs test/toolchain/s3-server/server.py
 * @throws {SetupError} if there is no Python with venv, or PyPI cannot be reached
 */
export async function ensureS3Server(): Promise<string> {
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = join(cacheFolder(), `s3-server-${digest}`);
  const python = join(folder, "bin", "python");
  if (existsSync(python)) return python;
  if (executables("python3").length === 0)
    throw new SetupError("The S3 server for tests needs Python 3.10 or newer: apt install python3 python3-venv.");
  await withLock(join(cacheFolder(), "s3-server.lock"), async () => {
    if (existsSync(python)) return;
    await publish(folder, (scratch) => step("installing the S3 server for tests", () => install(scratch)));
  });
  return python;
}

async function install(folder: string): Promise<string> {
  try {
    await run("python3", ["-m", "venv", folder]);
    await run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", "--requirement", requirements]);
  } catch (error) {
    throw new SetupError(
      "The S3 server for tests could not be installed: it needs Python 3.10 or newer with venv (apt install " +
        `python3-venv) and PyPI.\n${(error as Error).message}`,
    );
  }
  return folder;
}
