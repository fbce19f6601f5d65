/*
 * The whole architecture on this machine, as a person uses it: the demo on a stack of its own, then faults, poison and
 * drift, each followed by the same question: does every answer still equal one pass in memory?
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stackMarker } from "../components/targets/local/environment.ts";
import { instances } from "../components/targets/local/index.ts";
import { deadLetterSchema } from "../jobs/archive/dead-letter.ts";
import { EventProducer } from "../jobs/kafka/event-producer.ts";
import { RangeReader } from "../jobs/kafka/range-reader.ts";
import { runCommand } from "../scripts/demo/architecture.ts";
import { checkout, stackFolder } from "../scripts/environment.ts";
import { takeDown } from "../scripts/take-down.ts";
import { listeningSockets } from "./support/listening-sockets.ts";
import { pulumiPasses, WholeArchitecture } from "./support/whole-architecture.ts";

const stack = "test";
/** Real edits where they are at hand; elsewhere as many generated ones, which the test's name then says. */
const realEdits = join(checkout, "../shared/data/wikipedia-edits-2015-09-12.json.gz");
const hasRealEdits = existsSync(realEdits);
const events = 39_244;
const input = hasRealEdits ? ["--input", realEdits] : ["--events", String(events)];

describe("the whole architecture on the local target", () => {
  let whole: WholeArchitecture;

  beforeAll(async () => {
    await takeDown(stack);
  });

  afterAll(async () => {
    await whole?.close();
    await takeDown(stack);
    expect(await instances(stackFolder(stack))).toEqual([]);
    expect(existsSync(stackFolder(stack))).toBe(false);
  });

  test(`the demo is exact on ${hasRealEdits ? "real" : "generated (there are no real ones here)"} edits`, async () => {
    const output: string[] = [];
    const demo = [process.execPath, join(checkout, "scripts/demo.ts"), ...input, "--stack", stack];
    const exitCode = await runCommand(demo, (line) => {
      output.push(line);
      console.log(line);
    });
    expect(exitCode, output.slice(-30).join("\n")).toBe(0);
    expect(output.join("\n")).toMatch(/^exact: [\d,]+ answers over 39,244 events, 0 differ$/m);
    // Questions were asked of both sides of the swap.
    expect(output.join("\n")).toMatch(/during the batch run and its swap: .* \(batch versions: \d{8}T\d{9}, none\)/);
    whole = await WholeArchitecture.of(stack);
  });

  test.runIf(hasRealEdits)("the totals of the real edits come out of the API", async () => {
    const expected = {
      "#en.wikipedia": { edits: 11_549, added: 3_045_299, deleted: 176_483 },
      "#vi.wikipedia": { edits: 9_747, added: 295_972, deleted: 1_388 },
      "#de.wikipedia": { edits: 2_523, added: 522_625, deleted: 35_407 },
    };
    for (const [channel, totals] of Object.entries(expected))
      expect(
        (await whole.ask(`/views/edits-by-channel?${new URLSearchParams({ channel, granularity: "all" })}`)).total,
      ).toMatchObject(totals);
    const all = await whole.ask("/views/edits-by-channel/top?measure=edits&limit=1000");
    expect(all.rows).toHaveLength(51);
    expect(all.rows.reduce((sum: number, { value }: { value: number }) => sum + value, 0)).toBe(events);
    const added = await whole.ask("/views/edits-by-channel/top?measure=added&limit=1000");
    expect(added.rows.reduce((sum: number, { value }: { value: number }) => sum + value, 0)).toBe(9_385_573);
    const pages = await whole.ask("/views/edits-by-page/top?measure=edits&limit=1");
    expect(pages.rows).toEqual([
      { key: { channel: "#de.wikipedia", page: "Wikipedia:Vandalismusmeldung" }, value: 33 },
    ]);
  });

  test("a second up changes nothing, and a preview tells so", async () => {
    const began = performance.now();
    await pulumiPasses(stack, "preview", "--expect-no-changes");
    console.log(`preview of the whole stack: ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    await pulumiPasses(stack, "up", "--yes", "--skip-preview", "--expect-no-changes");
  });

  test("a Storm worker and a bolt killed with -9 in the middle: exact after recovery", async () => {
    const playing = whole.playGenerated(11, 20_000, 2_000);
    await sleep(2_000);
    expect(
      await whole.killProcesses(/lambda-storm-supervisor/, /org\.apache\.storm\.daemon\.worker\.Worker/),
    ).toBeGreaterThan(0);
    await sleep(4_000);
    await whole.killProcesses(/lambda-storm-supervisor/, /speed-bolt\.mjs/);
    await playing;
    await whole.expectExact();
  });

  test("a batch run killed with -9 in the middle: the next one is exact, leaves no garbage, and opens ports on the loopback network alone", async () => {
    const before = (await whole.ask("/views")).views[0].version;
    const [program = "", ...args] = whole.architecture.batchCommand;
    const run = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const line of run.stdout) if (/RUNNING/.test(String(line))) break;
    run.kill("SIGKILL");
    await whole.expectExact();
    expect((await whole.ask("/views")).views[0].version).toBe(before);
    const sockets = await socketsDuring(whole.runBatch());
    expect(sockets.length).toBeGreaterThan(25);
    expect(sockets.filter((socket) => !socket.startsWith("127."))).toEqual([]);
    const [{ version, retained }] = (await whole.ask("/views")).views;
    expect(version > before).toBe(true);
    const kept: string[] = [version, ...retained];
    const response = await fetch(
      `${whole.architecture.configuration.druid.coordinator}/druid/coordinator/v1/datasources`,
    );
    const datasources = (await response.json()) as string[];
    for (const datasource of datasources)
      expect(
        kept.some((each) => datasource.endsWith(each)),
        datasource,
      ).toBe(true);
    await whole.expectExact();
  });

  test("poison goes to the dead letters with its place and reason, and stops nothing", async () => {
    const { configuration } = whole.architecture;
    const edit = { time: "2015-09-12T10:00:00Z", channel: "#poison", page: "p", user: "u", added: 1, deleted: 0 };
    const { user: _, ...incomplete } = edit;
    await using producer = new EventProducer({
      bootstrapServers: configuration.kafka.bootstrapServers,
      topic: configuration.topic,
    });
    await producer.send([
      { value: "{not json" },
      { value: JSON.stringify(incomplete) },
      { value: JSON.stringify({ ...edit, time: "yesterday" }) },
      { value: JSON.stringify(edit) },
    ]);
    await whole.expectExact();
    const answer = await whole.ask("/views/edits-by-channel?channel=%23poison&granularity=all");
    expect(answer.total).toMatchObject({ edits: 1, added: 1 });
    const letters = await deadLetters(3);
    expect(letters.map(({ reason }) => reason).sort()).toEqual([
      expect.stringMatching(/^not JSON/),
      expect.stringMatching(/^time: /),
      expect.stringMatching(/^user: /),
    ]);
    for (const letter of letters)
      expect(letter).toMatchObject({
        topic: configuration.topic,
        partition: expect.any(Number),
        offset: expect.any(Number),
      });
  });

  test("play says by line which events became dead letters, and which are too large, and ends with 1", async () => {
    const edit = { time: "2015-09-12T10:00:00Z", channel: "#played", page: "p", user: "u", added: 1, deleted: 0 };
    const good = JSON.stringify(edit);
    const large = JSON.stringify({ ...edit, comment: "x".repeat(1_100_000) });
    const folder = mkdtempSync(join(tmpdir(), "play-"));
    const file = join(folder, "mixed.jsonl");
    writeFileSync(file, [good, "not JSON", "", "{}", large, good].join("\n"));
    const output: string[] = [];
    const play = [process.execPath, join(checkout, "scripts/play.ts"), "--input", file, "--stack", stack];
    const exitCode = await runCommand(play, (line) => output.push(line));
    rmSync(folder, { recursive: true });
    expect(output.join("\n")).toMatch(/^line 5 is not played: it has 1,1\d\d,\d{3} bytes/m);
    expect(output.join("\n")).toMatch(/^played 4 events /m);
    expect(output.join("\n")).toMatch(/^2 of them became dead letters:\n {2}line 2: not JSON.*\n {2}line 4: .*time/m);
    expect(exitCode).toBe(1);
    await whole.expectExact();
  });

  test("servers killed with their supervisors: up mends it, the data is kept, answers are exact", async () => {
    for (const instance of ["kafka-broker-0", "cassandra-node-0", "druid-historical-0", "hdfs-namenode", "serving"])
      await whole.killProcesses(new RegExp(`lambda-${instance}$`), /./);
    await pulumiPasses(stack, "up", "--yes", "--skip-preview");
    await whole.playGenerated(12, 5_000);
    await whole.expectExact();
  });

  /** Every `address:port` on which a process of the stack listened at some time until the work ended. */
  async function socketsDuring(work: Promise<void>): Promise<string[]> {
    const seen = new Set<string>();
    const ofStack = new RegExp(`^${stackMarker(stackFolder(stack))}`);
    let over = false;
    const watching = (async () => {
      for (; !over; await sleep(500))
        for (const { address, port } of await listeningSockets(ofStack)) seen.add(`${address}:${port}`);
    })();
    try {
      await work;
    } finally {
      over = true;
      await watching;
    }
    return [...seen];
  }

  async function deadLetters(count: number) {
    const { kafka, deadLetterTopic: topic } = whole.architecture.configuration;
    await using reader = new RangeReader({ bootstrapServers: kafka.bootstrapServers });
    for (;;) {
      const letters = [];
      for (const [partition, { earliest, latest }] of Object.entries(await reader.watermarks(topic)))
        for await (const records of reader.read(topic, Number(partition), earliest, latest))
          for (const { value } of records) letters.push(deadLetterSchema.parse(JSON.parse(String(value))));
      if (letters.length >= count) return letters;
      await sleep(500);
    }
  }
});
