import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkout } from "../scripts/environment.ts";
import { executables } from "../scripts/setup/prerequisites.mjs";
import { run } from "../scripts/setup/progress.mjs";
import { ensureActionlint } from "../scripts/toolchain/actionlint.ts";

interface Job {
  readonly "timeout-minutes": number;
  readonly steps: readonly { readonly run?: string }[];
}

const folder = join(checkout, ".github/workflows");
const workflows = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
const hasGo = executables("go").length > 0;

test("there are workflows for the tests, for previews and for drift", () => {
  expect(workflows.map(({ name }) => name)).toEqual(["drift.yml", "preview.yml", "test.yml"]);
});

test.each(workflows)("$name: actions by commit, least permissions, one run at a time", ({ text }) => {
  const uses = [...text.matchAll(/uses: (.*)/g)].map(([, action]) => action);
  expect(uses.length).toBeGreaterThan(0);
  for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  const { on, permissions, concurrency, jobs } = parse(text);
  expect(Object.keys(on)).not.toContain("pull_request_target");
  // What a job may do beyond reading, it says itself.
  expect([{}, { contents: "read" }]).toContainEqual(permissions);
  expect(concurrency).toBeDefined();
  for (const { "timeout-minutes": timeout, steps } of Object.values(jobs) as Job[]) {
    expect(timeout).toBeGreaterThan(0);
    // What others can write is never a part of a script, and no secret is: both come by the environment.
    for (const { run: script = "" } of steps) expect(script).not.toMatch(/\$\{\{/);
  }
});

test("a preview is made for every stack that has a configuration, and the pack of policies is run by it", () => {
  const { jobs } = parse(workflows.find(({ name }) => name === "preview.yml")?.text ?? "");
  expect(jobs.offline.strategy.matrix.stack).toEqual(["dev", "demo", "staging", "prod"]);
  const pulumi = jobs.live.steps.find(({ uses = "" }) => uses.startsWith("pulumi/actions@"));
  expect(pulumi.with).toMatchObject({ policyPacks: "stacks/policies", "edit-pr-comment": true });
});

test.runIf(hasGo)(
  `actionlint finds nothing${hasGo ? "" : " (skipped: there is no Go to build it with)"}`,
  async () => {
    const files = workflows.map(({ name }) => join(folder, name));
    const program = await ensureActionlint();
    expect(await run(program, ["-no-color", "-shellcheck=", "-pyflakes=", ...files], { timeout: 60_000 })).toBe("");
  },
  300_000,
);
