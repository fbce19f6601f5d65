import { globSync } from "node:fs";

/** A test file that starts servers: it takes from a quarter of a minute to many. */
export interface HeavyTest {
  /** Its path in the checkout, e.g. `test/jobs/kafka/range-reader.real.test.ts`. */
  readonly file: string;
  /** What it takes, see {@link measured}. */
  readonly minutes: number;
  /** Whether every `npm test` runs it. Default: one of {@link turns} does */
  readonly always?: true;
}

/**
 * What is known of the test files from which `npm test` chooses. Always run the whole architecture and each layer on its
 * own. The minutes are estimates for 2 cores that do nothing else, from what vitest told of each file while other work
 * went on; the last table of `npm run test:all` shows what each really takes.
 */
export const measured: readonly HeavyTest[] = [
  { file: "test/architecture.real.test.ts", minutes: 6, always: true },
  { file: "test/nothing-lost.real.test.ts", minutes: 5, always: true },
  { file: "test/durability.real.test.ts", minutes: 4, always: true },
  { file: "test/jobs/archive/archiver.real.test.ts", minutes: 1.8, always: true },
  { file: "test/jobs/batch/batch.real.test.ts", minutes: 2, always: true },
  { file: "test/jobs/speed/speed-layer.real.test.ts", minutes: 2.5, always: true },
  { file: "test/architecture.docker.test.ts", minutes: 10 },
  { file: "test/architecture.storage.test.ts", minutes: 5 },
  { file: "test/components/bind-agent/bind-agent.real.test.ts", minutes: 0.2 },
  { file: "test/components/kafka/consumer-group.real.test.ts", minutes: 0.7 },
  { file: "test/components/s3/s3-architecture.storage.test.ts", minutes: 2 },
  { file: "test/components/targets/local/distribution.real.test.ts", minutes: 0.2 },
  { file: "test/components/targets/local/local-target.real.test.ts", minutes: 1.5 },
  { file: "test/components/yarn/map-reduce.real.test.ts", minutes: 1 },
  { file: "test/jobs/kafka/range-reader.real.test.ts", minutes: 0.5 },
  { file: "test/jobs/s3/s3-file-storage.storage.test.ts", minutes: 0.5 },
  { file: "test/jobs/serving/serving.real.test.ts", minutes: 0.6 },
  { file: "test/package.real.test.ts", minutes: 1.5 },
  { file: "test/stacks/policies/pack.real.test.ts", minutes: 0.1 },
  { file: "test/stacks/upgrade.real.test.ts", minutes: 0.3 },
];

/** The minutes of a file that nobody has measured yet. */
const unmeasuredMinutes = 5;

/**
 * All test files from which `npm test` chooses: those on real servers, in containers and on an S3 server. One that is not
 * {@link measured} always runs.
 *
 * @param checkout the absolute path of the project's folder
 */
export function findHeavyTests(checkout: string): readonly HeavyTest[] {
  const files = globSync("test/**/*.{real,docker,storage}.test.ts", { cwd: checkout }).sort();
  const unmeasured = files.filter((path) => !measured.some(({ file }) => file === path));
  return [
    ...measured.filter(({ file }) => files.includes(file)),
    ...unmeasured.map((file): HeavyTest => ({ file, minutes: unmeasuredMinutes, always: true })),
  ];
}

/** Of so many seeds in a row, one runs a test file that does not always run. */
export const turns = 3;

/**
 * The test files that `npm test` runs with a seed: those that always run, and one turn's share of the others. The shares
 * take about equally long.
 *
 * @param seed a whole number from 0
 */
export function chooseTests(
  tests: readonly HeavyTest[],
  seed: number,
): { readonly chosen: readonly HeavyTest[]; readonly left: readonly HeavyTest[] } {
  const shares: HeavyTest[][] = Array.from({ length: turns }, () => []);
  for (const test of tests.filter(({ always }) => !always).toSorted(longestFirst))
    shares.toSorted((a, b) => minutesOf(a) - minutesOf(b))[0]?.push(test);
  const isChosen = (test: HeavyTest) => test.always === true || shares[seed % turns]?.includes(test) === true;
  return { chosen: tests.filter(isChosen), left: tests.filter((test) => !isChosen(test)) };
}

/** The kind of a test file, which is vitest's project: `real` of `some-name.real.test.ts`. */
export function kindOf(file: string): string {
  return /\.(\w+)\.test\.ts$/.exec(file)?.[1] ?? "unit";
}

/** What the files take together. */
export function minutesOf(tests: readonly HeavyTest[]): number {
  return tests.reduce((total, { minutes }) => total + minutes, 0);
}

function longestFirst(a: HeavyTest, b: HeavyTest): number {
  return b.minutes - a.minutes || (a.file < b.file ? -1 : 1);
}
