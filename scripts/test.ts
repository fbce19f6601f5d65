/*
 * The checks and tests, all of them or one kind, with the counts of all as the last line:
 *
 *     npm test                   type check, lint, unit tests, tests on real servers, and on an S3 server but for the demo;
 *                                with CI=true in the environment in containers as well
 *     npm run check              type check and lint
 *     npm run test:unit          unit tests; what follows `--` goes to vitest, e.g. a file's name
 *     npm run test:real
 *     npm run test:long          code, sizes and numbers of servers changed while all runs, and faults; no part of npm test
 *     npm run test:docker        the whole architecture in containers
 *     npm run test:kubernetes    the whole architecture on a Kubernetes control plane; no part of npm test
 *     npm run test:storage       the master dataset on an S3 server, the demo included
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runPackageProgram } from "./package-program.ts";
import { type Counts, countsOfReport, sum, summary } from "./test-counts.ts";

const [kind, ...vitestArguments] = process.argv.slice(2);
const kinds = {
  check: [typeCheck, lint],
  unit: [() => vitest("unit")],
  real: [() => vitest("real")],
  long: [() => vitest("long")],
  docker: [() => vitest("docker")],
  kubernetes: [() => vitest("kubernetes")],
  storage: [() => vitest("storage")],
};
if (kind !== undefined && !Object.hasOwn(kinds, kind)) {
  console.error(`there is no kind of test ${JSON.stringify(kind)}; the kinds are ${Object.keys(kinds).join(", ")}`);
  process.exit(2);
}
/** Those on an S3 server that take three minutes; the whole demo on it takes five more. */
const shortStorage = () => vitest("storage", "test/components/", "test/jobs/");
/** It installs Debian's Docker and starts a daemon, which is not for everybody's machine. */
const inContainers = process.env.CI === "true" ? kinds.docker : [];
const steps =
  kind === undefined
    ? [...kinds.check, ...kinds.unit, ...kinds.real, shortStorage, ...inContainers]
    : kinds[kind as keyof typeof kinds];

const counts: Counts[] = [];
for (const step of steps) counts.push(await step());
const total = sum(counts);
console.log(summary(total));
process.exitCode = total.failed === 0 ? 0 : 1;

async function typeCheck(): Promise<Counts> {
  return await single("type check", "tsc", "--project", ".");
}

async function lint(): Promise<Counts> {
  return await single("lint and format", "biome", "check", ".");
}

/** A check that passes or fails as a whole: it counts as one test. */
async function single(name: string, program: string, ...args: string[]): Promise<Counts> {
  console.log(`\n${name}: ${[program, ...args].join(" ")}`);
  const passed = (await runPackageProgram(program, ...args)) === 0;
  console.log(`${name}: ${passed ? "passed" : "failed"}`);
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}

/** @param files parts of the paths of the test files. Default: all */
async function vitest(project: string, ...files: readonly string[]): Promise<Counts> {
  console.log(`\n${project} tests`);
  const folder = mkdtempSync(join(tmpdir(), "lambda-architecture-test-"));
  try {
    const report = join(folder, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const where = ["run", "--project", project, ...files];
    const exitCode = await runPackageProgram("vitest", ...where, ...reporters, ...vitestArguments);
    return countsOfReport(JSON.parse(readFileSync(report, "utf8")), exitCode);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
