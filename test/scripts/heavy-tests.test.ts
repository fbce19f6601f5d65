import { globSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseTests, type HeavyTest, heavyTests, kindOf, minutesOf, turns } from "../../scripts/heavy-tests.ts";

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

describe("the table", () => {
  test("has every test file on real servers, in containers and on an S3 server, and no other", () => {
    const found = globSync("test/**/*.{real,docker,storage}.test.ts", { cwd: checkout });
    expect(files(heavyTests), "what has no entry is added to scripts/heavy-tests.ts with its minutes").toEqual(
      found.sort(),
    );
  });

  test("keeps npm test at half an hour on the average, and well below three quarters with any seed", () => {
    const checksAndUnitTests = 3;
    const minutes = Array.from(
      { length: turns },
      (_, seed) => checksAndUnitTests + minutesOf(chooseTests(heavyTests, seed).chosen),
    );
    expect(minutes.reduce((sum, one) => sum + one) / turns).toBeLessThan(32);
    expect(Math.max(...minutes)).toBeLessThan(38);
  });

  test("has the kinds of its files", () => {
    expect(new Set(heavyTests.map(({ file }) => kindOf(file)))).toEqual(new Set(["real", "docker", "storage"]));
    expect(kindOf("test/scripts/heavy-tests.test.ts")).toBe("unit");
  });
});
