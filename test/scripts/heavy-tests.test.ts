import { globSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chooseTests,
  findHeavyTests,
  type HeavyTest,
  kindOf,
  measured,
  minutesOf,
  turns,
} from "../../scripts/heavy-tests.ts";

const checkout = join(import.meta.dirname, "../..");
const files = (tests: readonly HeavyTest[]) => tests.map(({ file }) => file).sort();
const seeds = fc.nat(2 ** 31);
const anyTests = fc.uniqueArray(
  fc.record({
    file: fc.stringMatching(/^[a-z]{1,6}$/),
    minutes: fc.double({ min: 0.1, max: 20, noNaN: true }),
    always: fc.constantFrom(true, undefined),
  }) as fc.Arbitrary<HeavyTest>,
  { selector: ({ file }) => file, maxLength: 12 },
);

describe("the choice of a seed", () => {
  test("each file runs or is named among those left, and with the same seed the same ones run", () => {
    fc.assert(
      fc.property(anyTests, seeds, (tests, seed) => {
        const { chosen, left } = chooseTests(tests, seed);
        expect(files([...chosen, ...left])).toEqual(files(tests));
        expect(files(chooseTests(tests.toReversed(), seed).chosen)).toEqual(files(chosen));
      }),
    );
  });

  test("what always runs does, and of seeds in a row each other file runs with exactly one", () => {
    fc.assert(
      fc.property(anyTests, seeds, (tests, seed) => {
        const inARow = Array.from({ length: turns }, (_, turn) => chooseTests(tests, seed + turn).chosen);
        for (const test of tests)
          expect(inARow.filter((chosen) => chosen.includes(test)).length).toBe(test.always ? turns : 1);
      }),
    );
  });

  test("no share is longer than another by more than one file", () => {
    fc.assert(
      fc.property(anyTests, seeds, (tests, seed) => {
        const inTurn = tests.filter(({ always }) => !always);
        const shares = Array.from({ length: turns }, (_, turn) => minutesOf(chooseTests(inTurn, seed + turn).chosen));
        const longest = Math.max(0, ...inTurn.map(({ minutes }) => minutes));
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(longest + 1e-9);
      }),
    );
  });
});

describe("the test files of this project", () => {
  const all = findHeavyTests(checkout);

  test("are those on real servers, in containers and on an S3 server; what is not measured always runs", () => {
    const found = globSync("test/**/*.test.ts", { cwd: checkout }).filter((file) =>
      ["real", "docker", "storage"].includes(kindOf(file)),
    );
    expect(files(all)).toEqual(found.sort());
    const known = files(measured);
    for (const { file, always } of all) if (!known.includes(file)) expect([file, always]).toEqual([file, true]);
  });

  test("are there, if they are measured", () => {
    expect(files(all)).toEqual(expect.arrayContaining(files(measured)));
  });

  test("keep npm test at half an hour on the average, and well below three quarters with any seed", () => {
    const checksAndUnitTests = 3;
    const minutes = Array.from(
      { length: turns },
      (_, seed) => checksAndUnitTests + minutesOf(chooseTests(all, seed).chosen),
    );
    expect(minutes.reduce((sum, one) => sum + one) / turns).toBeLessThan(33);
    expect(Math.max(...minutes)).toBeLessThan(40);
  });
});
