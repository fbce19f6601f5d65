import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type InstanceStatus, instances, stopStack } from "../../components/targets/local/index.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A Pulumi project on the local target in a temporary folder, with a backend of its own. Its program reads what to deploy
 * from `plan.json` in that folder.
 */
export class LocalProject<Plan> {
  /** The project's folder. */
  readonly folder: string;

  /**
   * @param name the project's name
   * @param program the absolute path of its program
   */
  constructor(name: string, program: string) {
    this.folder = mkdtempSync(join(tmpdir(), "local-target-"));
    mkdirSync(join(this.folder, "backend"));
    symlinkSync(join(checkout, "node_modules"), join(this.folder, "node_modules"));
    const provider = join(checkout, "components/targets/local");
    const files = {
      "package.json": JSON.stringify({ name, type: "module" }),
      "index.ts": [
        `import { endWithOutput } from ${JSON.stringify(join(checkout, "stacks/lost-output.ts"))};`,
        "endWithOutput();",
        `export * from ${JSON.stringify(program)};\n`,
      ].join("\n"),
      "Pulumi.yaml": JSON.stringify({
        name,
        runtime: { name: "nodejs", options: { typescript: false } },
        main: "index.ts",
        plugins: { providers: [{ name: "local", path: provider }] },
      }),
    };
    for (const [file, content] of Object.entries(files)) writeFileSync(join(this.folder, file), content);
  }

  /** Says what the next deployment is to deploy. */
  plan(plan: Plan): void {
    writeFileSync(join(this.folder, "plan.json"), JSON.stringify(plan));
  }

  /** The folder of a stack. */
  stackFolder(stack: string): string {
    return join(this.folder, "stacks", stack);
  }

  /** Starts the CLI. */
  start(...args: readonly string[]): ChildProcess {
    return spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: this.folder,
      env: {
        ...process.env,
        PULUMI_BACKEND_URL: `file://${join(this.folder, "backend")}`,
        PULUMI_HOME: join(this.folder, "home"),
        PULUMI_CONFIG_PASSPHRASE: "passphrase of a test",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Runs the CLI to its end. */
  async pulumi(...args: readonly string[]): Promise<{ exitCode: number | null; output: string }> {
    const child = this.start(...args);
    const [output, errors, exitCode] = await Promise.all([
      text(child.stdout as NodeJS.ReadableStream),
      text(child.stderr as NodeJS.ReadableStream),
      new Promise<number | null>((resolve) => child.once("exit", resolve)),
    ]);
    return { exitCode, output: `${output}\n${errors}` };
  }

  /** Runs the CLI to its end. @throws {Error} with its output if it fails */
  async succeed(...args: readonly string[]): Promise<string> {
    const { exitCode, output } = await this.pulumi(...args);
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${output}`);
    return output;
  }

  /** The command lines of this project's programs that run. Needs /proc. */
  programs(): string[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        try {
          return [readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")];
        } catch {
          // It has ended.
          return [];
        }
      })
      .filter((line) => line.includes(`--pwd ${this.folder} `));
  }

  /** What runs of a stack by the instances' names. */
  async running(stack: string): Promise<Map<string, InstanceStatus>> {
    return new Map((await instances(this.stackFolder(stack))).map((status) => [status.name, status]));
  }

  /** Stops what still runs of the stacks and removes everything. */
  async remove(...stacks: readonly string[]): Promise<void> {
    for (const stack of stacks) await stopStack(this.stackFolder(stack), 1);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
