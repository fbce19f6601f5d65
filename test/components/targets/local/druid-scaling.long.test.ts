/*
 * Druid's historicals come and go while the same query is asked again and again, on the local target with the real CLI:
 * all answers are the whole one. Steps and expected results:
 * 1. One historical with twelve segments, then three: each segment is on two of them.
 * 2. Back to one: it has all segments.
 * 3. Up to three again, over what the historicals left behind: each segment is on two of them.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loopbackAddress } from "../../../../components/targets/local/placement.ts";
import { DruidCoordinator } from "../../../../jobs/batch/druid-coordinator.ts";
import { LocalProject } from "../../../support/local-project.ts";
import type { Plan } from "./scaling/program.ts";

const project = new LocalProject<Plan>("scaling", fileURLToPath(new URL("./scaling/program.ts", import.meta.url)));
const address = (name: string) => loopbackAddress(`${project.stackFolder("one")}\0scaling\0one`, name);
const coordinator = new DruidCoordinator(`http://${address("druid-coordinator")}:8081`);
const days = 12;
const rowsOfDay = 500;
const whole = [[days * rowsOfDay, Array.from({ length: days }, (_, day) => day * rowsOfDay).reduce((a, b) => a + b)]];

const scale = async (historicals: number) => {
  project.plan({ zooKeeper: { replicas: 1 }, druid: { historicals } });
  await project.succeed("up", "-y", "--skip-preview", "-s", "one");
};

beforeAll(() => project.succeed("stack", "init", "one"));
afterAll(() => project.remove("one"));

/** Loads rows of twelve days, a segment a day. */
async function load(): Promise<void> {
  const time = (day: number) => Date.UTC(2026, 0, 1 + day);
  const rows = Array.from({ length: days }, (_, day) =>
    Array.from({ length: rowsOfDay }, (_, row) => JSON.stringify({ time: time(day), row, day })),
  ).flat();
  await coordinator.run({
    ...{ type: "index_parallel", id: "load" },
    spec: {
      dataSchema: {
        dataSource: "events",
        timestampSpec: { column: "time", format: "millis" },
        dimensionsSpec: { dimensions: ["row", "day"].map((name) => ({ type: "long", name })) },
        metricsSpec: [],
        granularitySpec: { segmentGranularity: "DAY", queryGranularity: "NONE", rollup: false },
      },
      ioConfig: {
        type: "index_parallel",
        inputSource: { type: "inline", data: rows.join("\n") },
        inputFormat: { type: "json" },
        appendToExisting: false,
      },
      tuningConfig: { type: "index_parallel", partitionsSpec: { type: "dynamic" } },
    },
  } as { id: string });
}

async function sql(query: string): Promise<unknown[][]> {
  const response = await fetch(`http://${address("druid-broker-0")}:8082/druid/v2/sql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, resultFormat: "array", context: { useCache: false, populateCache: false } }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return JSON.parse(text) as unknown[][];
}

const answer = () => sql('SELECT COUNT(*), SUM("day") FROM events');

/** Asks until told to stop. Returns how many answers came, and each that was not the whole one, errors included. */
function ask(): () => Promise<{ answers: number; wrong: unknown[] }> {
  let goesOn = true;
  const asked = (async () => {
    const wrong: unknown[] = [];
    let answers = 0;
    for (; goesOn; await sleep(20)) {
      const found: unknown = await answer().catch((error: Error) => error.message);
      answers++;
      if (JSON.stringify(found) !== JSON.stringify(whole)) wrong.push(found);
    }
    return { answers, wrong };
  })();
  return () => {
    goesOn = false;
    return asked;
  };
}

/** The segments that each historical holds, as the coordinator sees them, by the historical's name. */
async function held(): Promise<Record<string, string[]>> {
  const servers = (await coordinator.request("GET", "/druid/coordinator/v1/servers?full")) as {
    host: string;
    type: string;
    segments: object;
  }[];
  const names = Array.from({ length: 3 }, (_, index) => `druid-historical-${index}`);
  return Object.fromEntries(
    servers
      .filter(({ type }) => type === "historical")
      .map(({ host, segments }) => [
        names.find((name) => host === `${address(name)}:8083`) ?? host,
        Object.keys(segments).sort(),
      ]),
  );
}

/** How many copies each of the segments has. */
async function copies(): Promise<number[]> {
  const counts = new Map<string, number>();
  for (const id of Object.values(await held()).flat()) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts.values()];
}

/** At once at least two copies of each; those that historicals have kept from an earlier life go soon. */
async function expectTwoCopies(): Promise<void> {
  expect(Object.keys(await held()).sort()).toEqual(["druid-historical-0", "druid-historical-1", "druid-historical-2"]);
  const now = await copies();
  expect(now).toHaveLength(days);
  expect(Math.min(...now)).toBeGreaterThanOrEqual(2);
  await expect.poll(copies, { timeout: 60_000 }).toEqual(Array(days).fill(2));
}

/** The first historical has them all, and there is no other. */
async function expectAllOnTheFirst(): Promise<void> {
  const { "druid-historical-0": segments, ...others } = await held();
  expect(others).toEqual({});
  expect(segments).toHaveLength(days);
}

test("from one historical to three: each segment is on two of them, no answer lacks a row", async () => {
  await scale(1);
  await load();
  await expect.poll(() => answer().catch(String), { timeout: 60_000 }).toEqual(whole);
  await expectAllOnTheFirst();
  const stop = ask();
  await scale(3);
  const { answers, wrong } = await stop();
  expect(wrong).toEqual([]);
  expect(answers).toBeGreaterThan(100);
  await expectTwoCopies();
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
});

test("back to one: it has every segment, and no answer lacks a row meanwhile", async () => {
  const stop = ask();
  await scale(1);
  await sleep(2_000);
  const { answers, wrong } = await stop();
  expect(wrong).toEqual([]);
  expect(answers).toBeGreaterThan(100);
  const historicals = [...(await project.running("one")).keys()].filter((name) => name.includes("historical"));
  expect(historicals).toEqual(["druid-historical-0"]);
  await expectAllOnTheFirst();
  await project.succeed("preview", "--expect-no-changes", "-s", "one");
});

test("up to three again, over what the historicals left behind", async () => {
  const stop = ask();
  await scale(3);
  const { wrong } = await stop();
  expect(wrong).toEqual([]);
  await expectTwoCopies();
  await project.succeed("destroy", "-y", "--skip-preview", "-s", "one");
});
