/*
 * The checks and tests, all of them or one kind, with the counts of all as the last line:
 *
 *     npm test                   type check, lint, documentation, unit tests, and of the tests that start servers those that
 *                                a seed chooses (scripts/heavy-tests.ts); with CI=true in the environment in containers too
 *     npm test -- --seed N       with a seed of one's own. Default: the commit's time, or today's where there is no commit
 *     npm run test:all           as npm test, with all that a seed may choose
 *     npm run check              type check, lint and documentation
 *     npm run test:unit          unit tests; what follows `--` goes to vitest, e.g. a file's name
 *     npm run test:real          all tests on real servers
 *     npm run test:long          code, sizes and numbers of servers changed while all runs, and faults; no part of npm test
 *     npm run test:docker        the whole architecture in containers
 *     npm run test:kubernetes    the whole architecture on a Kubernetes control plane; no part of npm test
 *     npm run test:storage       the master dataset on an S3 server
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { table } from "../components/table.ts";
import { CommandLine, runCommandLine } from "./command-line.ts";
import { checkout } from "./environment.ts";
import { chooseTests, findHeavyTests, type HeavyTest, kindOf, minutesOf } from "./heavy-tests.ts";
import { runPackageProgram } from "./package-program.ts";
import { type Counts, countsOfReport, sum, summary } from "./test-counts.ts";

/** Some tests or a check, counted and timed by themselves. */
interface Part {
  readonly name: string;
  readonly run: () => Promise<Counts>;
}

/** What runs, and what is said of what does not. */
interface Plan {
  readonly parts: readonly Part[];
  readonly notes: readonly string[];
}

const check: readonly Part[] = [
  passing("type check", "tsc", "--project", "."),
  passing("lint and format", "biome", "check", "."),
  passing("documentation", "typedoc", "--emit", "none"),
];
const kinds = ["unit", "real", "long", "docker", "kubernetes", "storage"];

await runCommandLine(async () => {
  const args = process.argv.slice(2);
  const { parts, notes } = partsOfKind(args) ?? choice(args);
  for (const note of notes) console.log(note);
  const results: { readonly name: string; readonly counts: Counts; readonly seconds: number }[] = [];
  for (const { name, run } of parts) {
    console.log(`\n${name}`);
    const began = performance.now();
    const counts = await run();
    results.push({ name, counts, seconds: Math.round((performance.now() - began) / 1_000) });
  }
  const rows = results.map(({ name, counts: { passed, failed, skipped }, seconds }) => [
    ...[name, passed, failed, skipped],
    (seconds / 60).toFixed(1),
  ]);
  console.log(["", ...table(["part", "passed", "failed", "skipped", "minutes"], rows), ""].join("\n"));
  for (const note of notes) console.log(note);
  const total = sum(results.map(({ counts }) => counts));
  console.log(summary(total));
  return total.failed === 0 ? 0 : 1;
});

/** What runs of one kind; undefined where no kind is named. */
function partsOfKind([kind = "", ...vitestArguments]: readonly string[]): Plan | undefined {
  if (kind === "check") return { parts: check, notes: [] };
  return kinds.includes(kind) ? { parts: [vitest(`${kind} tests`, kind, ...vitestArguments)], notes: [] } : undefined;
}

/** What `npm test` runs. @throws {UsageError} if the arguments are none of its options */
function choice(args: readonly string[]): Plan {
  const options = { seed: { type: "string" }, all: { type: "boolean" } } as const;
  const commandLine = new CommandLine({ name: "test", usage: "[--seed N | --all]", options }, args);
  const { all = false } = commandLine.values;
  const seed = commandLine.whole("seed", 0, 999_999_999_999) ?? seedOfCommit();
  commandLine.throwIfAny();
  const tests = findHeavyTests(checkout);
  const { chosen, left } = all ? { chosen: tests, left: [] } : chooseTests(tests, seed);
  // They install Debian's Docker and start a daemon, which is not for everybody's machine.
  const inContainers = ({ file }: HeavyTest) => kindOf(file) === "docker" && process.env.CI !== "true";
  return {
    parts: [
      ...check,
      vitest("unit tests", "unit"),
      ...chosen.filter((test) => !inContainers(test)).map(({ file }) => vitest(file, kindOf(file), file)),
    ],
    notes: [
      ...(all ? [] : [`seed ${seed}; npm test -- --seed ${seed} runs the same`]),
      ...listed("left to other seeds; npm run test:all runs them", left),
      ...listed("left out where CI is not true; npm run test:docker runs it", chosen.filter(inContainers)),
    ],
  };
}

/** One line that names the tests, with the minutes that they take; nothing of no tests. */
function listed(what: string, tests: readonly HeavyTest[]): string[] {
  if (tests.length === 0) return [];
  return [`${what} (${minutesOf(tests).toFixed(0)} minutes): ${tests.map(({ file }) => file).join(", ")}`];
}

/** Another one for each commit. */
function seedOfCommit(): number {
  try {
    return Number(
      execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: checkout, encoding: "utf8", stdio: "pipe" }),
    );
  } catch {
    return Math.floor(Date.now() / 86_400_000);
  }
}

/** A check that passes or fails as a whole: it counts as one test. */
function passing(name: string, program: string, ...args: readonly string[]): Part {
  return {
    name,
    run: async () => {
      const passed = (await runPackageProgram(program, ...args)) === 0;
      console.log(passed ? "passed" : "failed");
      return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
    },
  };
}

/** @param args e.g. the paths of test files, or parts of them. Default: all of the project */
function vitest(name: string, project: string, ...args: readonly string[]): Part {
  return {
    name,
    run: async () => {
      const folder = mkdtempSync(join(tmpdir(), "lambda-architecture-test-"));
      try {
        const report = join(folder, "report.json");
        const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
        const exitCode = await runPackageProgram("vitest", "run", "--project", project, ...reporters, ...args);
        return existsSync(report)
          ? countsOfReport(JSON.parse(readFileSync(report, "utf8")), exitCode)
          : { passed: 0, failed: 1, skipped: 0 };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
