import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runByHand } from "../../../../components/targets/kubernetes/run-by-hand.ts";

let folder: string;

/** A kubectl that notes how it is called, and whose job starts at the second look, prints a line and ends as it is told. */
const kubectl = `#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
  *" logs "*) echo "the run's own line" ;;
  *.status.phase}) [ "$(grep -c phase "$CALLS")" = 1 ] && echo Pending || echo Running ;;
  *.exitCode}) echo "$EXIT_CODE" ;;
esac
`;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lambda-architecture-kubectl-"));
  writeFileSync(join(folder, "kubectl"), kubectl, { mode: 0o755 });
  // No test has to wait between two looks.
  writeFileSync(join(folder, "sleep"), "#!/bin/sh\n", { mode: 0o755 });
});

afterEach(() => rmSync(folder, { recursive: true }));

function run([program = "", ...args]: readonly string[], exitCode = 0) {
  const calls = join(folder, "calls");
  writeFileSync(calls, "");
  const env = { PATH: `${folder}:${process.env.PATH}`, CALLS: calls, EXIT_CODE: String(exitCode) };
  const { status, stdout, stderr } = spawnSync(program, args, { env, encoding: "utf8" });
  return { status, stdout, stderr, calls: readFileSync(calls, "utf8").trim().split("\n") };
}

test("a run is a Job of the CronJob, whose lines and exit code are the command's", () => {
  const { status, stdout, calls } = run(runByHand("p-s", "lambda-batch"), 3);
  expect(stdout).toContain("the run's own line\n");
  expect(status).toBe(3);
  expect(calls[0]).toMatch(/^--namespace p-s create job lambda-batch-[0-9a-f]{10} --from=cronjob\/lambda-batch$/);
  expect(calls.map((call) => call.split(" ")[2])).toEqual(["create", "get", "get", "logs", "get"]);
  expect(run(runByHand("p-s", "lambda-batch")).status).toBe(0);
});

test("two runs have two names, which are never too long", () => {
  const longest = "a".repeat(52);
  const jobOf = () => run(runByHand("p-s", longest)).calls[0]?.split(" ")[4] ?? "";
  const [one, other] = [jobOf(), jobOf()];
  expect(one).not.toBe(other);
  expect(one).toHaveLength(63);
});

test("the cluster of a context is asked every time", () => {
  const { calls } = run(runByHand("p-s", "lambda-batch", "my cluster"));
  expect(calls.length).toBeGreaterThan(2);
  for (const call of calls) expect(call).toMatch(/^--context=my cluster --namespace p-s /);
});

test("an argument that a CronJob's run cannot take is an error, and starts nothing", () => {
  const { status, stderr, calls } = run([...runByHand("p-s", "lambda-batch"), "--force"]);
  expect([status, calls]).toEqual([2, [""]]);
  expect(stderr).toBe(
    "lambda-batch takes no arguments on Kubernetes, where a run is what its CronJob says: leave out --force\n",
  );
});
