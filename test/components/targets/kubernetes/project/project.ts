import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { pulumiEnvironment } from "../../../../../scripts/environment.ts";
import type { Plan } from "./program.ts";

const checkout = fileURLToPath(new URL("../../../../..", import.meta.url));

/** A Pulumi project of the whole architecture in a temporary folder, with a backend of its own. */
export class WholeProject {
  /** The project's folder. */
  readonly folder = mkdtempSync(join(tmpdir(), "lambda-architecture-kubernetes-"));

  constructor() {
    mkdirSync(join(this.folder, "backend"));
    symlinkSync(join(checkout, "node_modules"), join(this.folder, "node_modules"));
    const program = join(checkout, "test/components/targets/kubernetes/project/program.ts");
    const files = {
      "package.json": JSON.stringify({ name: "whole", type: "module" }),
      "index.ts": `export * from ${JSON.stringify(program)};\n`,
      "Pulumi.yaml": JSON.stringify({
        name: "whole",
        runtime: { name: "nodejs", options: { typescript: false } },
        main: "index.ts",
      }),
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(this.folder, name), content);
  }

  /** Says what the next deployment is to deploy. */
  plan(plan: Plan): void {
    writeFileSync(join(this.folder, "plan.json"), JSON.stringify(plan));
  }

  /** Runs the CLI to its end. @throws {Error} with its output if it fails */
  async pulumi(...args: readonly string[]): Promise<string> {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      env: {
        // The plugins are where the project's own CLI looks for them.
        ...pulumiEnvironment(),
        PULUMI_BACKEND_URL: `file://${join(this.folder, "backend")}`,
        PULUMI_CONFIG_PASSPHRASE: "passphrase of a test",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [output, errors, exitCode] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.once("exit", resolve)),
    ]);
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${output}\n${errors}`);
    return output;
  }

  /** Removes everything. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
