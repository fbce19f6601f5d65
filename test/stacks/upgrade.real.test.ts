/*
 * A stack that an older layout of the program deployed is brought up by the present one: what keeps data must stay the same
 * resource, under its name or an alias. The states are exported from stacks that ran, reduced to what keeps data and what
 * that belongs to; the real engine and the real provider say what an `up` would do.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { checkout, runPulumi, stackFolder } from "../../scripts/environment.ts";

const states = join(import.meta.dirname, "states");
const folder = mkdtempSync(join(tmpdir(), "upgrade-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A project of its own around the present program, so that the checkout's configuration files are left alone. */
function writeProject(project: string): void {
  symlinkSync(join(checkout, "node_modules"), join(project, "node_modules"));
  const { plugins } = parse(readFileSync(join(checkout, "Pulumi.yaml"), "utf8")) as {
    plugins: { providers: { name: string; path: string }[] };
  };
  const providers = plugins.providers.map(({ name, path }) => ({ name, path: join(checkout, path) }));
  const description = {
    name: "lambda-architecture",
    runtime: { name: "nodejs", options: { typescript: false } },
    main: "index.ts",
    plugins: { providers },
  };
  writeFileSync(join(project, "Pulumi.yaml"), JSON.stringify(description));
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "upgrade", type: "module" }));
  writeFileSync(join(project, "index.ts"), `export * from ${JSON.stringify(join(checkout, "stacks/index.ts"))};\n`);
}

interface State {
  readonly deployment: { readonly resources: readonly { readonly urn: string; readonly protect?: boolean }[] };
}

interface Preview {
  readonly steps: readonly {
    readonly op: string;
    readonly urn: string;
    readonly oldState?: { readonly urn: string };
  }[];
}

test.each(readdirSync(states))("%s: nothing that keeps data is replaced or deleted", async (name) => {
  const project = join(folder, name);
  mkdirSync(project);
  writeProject(project);
  const environment = {
    PULUMI_BACKEND_URL: `file://${project}`,
    PULUMI_HOME: join(project, "home"),
    PULUMI_CONFIG_PASSPHRASE: "upgrade",
  };
  const pulumi = async (...args: string[]) => {
    const where = ["--stack", "older", "--non-interactive", "--cwd", project];
    const { exitCode, stdout, stderr } = await runPulumi([...args, ...where], { capture: true, environment });
    if (exitCode !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${exitCode}:\n${stdout}\n${stderr}`);
    return stdout;
  };
  const text = readFileSync(join(states, name), "utf8").replaceAll("{stackFolder}", stackFolder("older"));
  writeFileSync(join(project, "state.json"), text);
  await pulumi("stack", "init", "--no-select");
  await pulumi("stack", "import", "--file", join(project, "state.json"));
  const { steps } = JSON.parse(await pulumi("preview", "--json")) as Preview;

  const { deployment } = JSON.parse(text) as State;
  const stores = deployment.resources.filter(({ protect }) => protect).map(({ urn }) => urn);
  expect(stores.length).toBeGreaterThan(5);
  const fates = stores.map((urn) => {
    const ops = steps.filter((step) => step.urn === urn || step.oldState?.urn === urn).map(({ op }) => op);
    return `${urn.split("::").at(-1)}: ${ops.join(", ")}`;
  });
  expect(fates.filter((fate) => !/: (same|update)$/.test(fate))).toEqual([]);
});
