import { setTimeout as sleep } from "node:timers/promises";
import { Admin } from "@platformatic/kafka";
import { expect, test } from "vitest";
import { instances } from "../../components/targets/local/index.ts";
import { archivedRange, partitionFolder } from "../../jobs/archive/layout.ts";
import { chainEnd, partitionFiles, partsOf, wholeRun } from "../../jobs/archive/partition-files.ts";
import type { Offsets } from "../../jobs/chunks.ts";
import { WebHdfs } from "../../jobs/hdfs/web-hdfs.ts";
import { EventProducer } from "../../jobs/kafka/event-producer.ts";
import { RangeReader } from "../../jobs/kafka/range-reader.ts";
import { openStorage } from "../../jobs/storage/open-storage.ts";
import type { WikipediaEdit } from "../../jobs/wikipedia/event.ts";
import { runBatch } from "../../scripts/demo/architecture.ts";
import { stackFolder } from "../../scripts/environment.ts";
import { configure, pulumiPasses, type WholeArchitecture } from "../support/whole-architecture.ts";

/** Milliseconds that what has to come may take on a machine that does much else. */
const patience = 180_000;

/** A day of these events alone. */
const time = "2003-04-05T06:00:00Z";

function edit(channel: string): string {
  return JSON.stringify({ time, channel, page: "p", user: "u", added: 1, deleted: 0 } satisfies WikipediaEdit);
}

/** Waits until a value is there. */
async function eventually<Value>(what: string, look: () => Promise<Value | undefined>): Promise<Value> {
  for (const end = Date.now() + patience; ; await sleep(250)) {
    const value = await look();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`${what}: not within ${patience / 1_000} s`);
  }
}

/** What the tests look at from outside. */
class Outside {
  readonly #whole: WholeArchitecture;

  constructor(whole: WholeArchitecture) {
    this.#whole = whole;
  }

  get configuration() {
    return this.#whole.architecture.configuration;
  }

  async watermarks() {
    await using reader = new RangeReader({ ...this.configuration.kafka, clientId: "test" });
    return await reader.watermarks(this.configuration.topic);
  }

  async latest(): Promise<Offsets> {
    return Object.fromEntries(
      Object.entries(await this.watermarks()).map(([partition, { latest }]) => [partition, latest]),
    );
  }

  /** By partition, up to where the storage has every event: whole chunks, and parts behind them. */
  async stored(): Promise<{ whole: Offsets; all: Offsets }> {
    const { masterDataset, openChunks, partitions, chunkSize, storage: at } = this.configuration;
    using storage = openStorage(at);
    const [whole, all]: [Record<string, number>, Record<string, number>] = [{}, {}];
    for (let partition = 0; partition < partitions; partition++) {
      const of = { ...this.configuration, partition };
      const names = await storage.list(partitionFolder(masterDataset, of));
      const { end } = wholeRun(partitionFiles(names), 0, chunkSize);
      whole[partition] = end;
      all[partition] = chainEnd(partsOf(await storage.list(partitionFolder(openChunks, of))), end);
    }
    return { whole, all };
  }

  /** Whether a part of an open chunk begins at the offset. */
  async hasPart(partition: number, offset: number): Promise<boolean> {
    const { openChunks, storage: at } = this.configuration;
    using storage = openStorage(at);
    const names = await storage.list(partitionFolder(openChunks, { ...this.configuration, partition }));
    return partsOf(names).some(({ start }) => start === offset);
  }

  /** The archiver's process. */
  async archiver(): Promise<number> {
    const all = await instances(stackFolder(this.#whole.stack));
    const pid = all.find(({ name }) => /archiver/.test(name))?.pid;
    if (pid === undefined) throw new Error("no archiver runs");
    return pid;
  }

  /** The archiver's metric of every partition. */
  async metric(name: string): Promise<Offsets> {
    const text = await (await fetch(`${this.#whole.architecture.archiverUrl}/metrics`)).text();
    const found = text.matchAll(new RegExp(`^${name}\\{partition="(\\d+)"\\} (\\S+)$`, "gm"));
    return Object.fromEntries([...found].map(([, partition = "", value]) => [partition, Number(value)]));
  }

  async write(partition: number, values: readonly string[]): Promise<void> {
    const { kafka, topic } = this.configuration;
    await using producer = new EventProducer({ ...kafka, topic });
    await producer.send(values.map((value) => ({ value, partition })));
  }

  async deleteRecords(partition: number, offset: number): Promise<void> {
    const { kafka, topic } = this.configuration;
    const admin = new Admin({ clientId: "test", bootstrapBrokers: [...kafka.bootstrapServers] });
    try {
      await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition, offset: BigInt(offset) }] }] });
    } finally {
      await admin.close();
    }
  }
}

function reaches(offsets: Offsets, wanted: Offsets): boolean {
  return Object.entries(wanted).every(([partition, offset]) => (offsets[partition] ?? 0) >= offset);
}

const batchOf = (channel: string) =>
  `/views/edits-by-channel?channel=${encodeURIComponent(channel)}&granularity=all&layer=batch`;

/** Events are safe in time, and batch views have them, however few they are. */
export function durability(whole: () => WholeArchitecture): void {
  test("every acknowledged event is in the storage in time, also those of a chunk that is not full", async () => {
    const outside = new Outside(whole());
    const before = await outside.latest();
    for (const partition of Object.keys(before)) await outside.write(Number(partition), [edit("#few")]);
    const latest = await outside.latest();
    await eventually("parts of the open chunks", async () =>
      reaches((await outside.stored()).all, latest) ? true : undefined,
    );
    await eventually("no event waits", async () => {
      const ages = Object.values(await outside.metric("archive_oldest_event_seconds"));
      return ages.length > 0 && ages.every((age) => age === 0) ? true : undefined;
    });
  });

  test("seven events are in the batch layer after --seal, while others come, and all answers stay exact", async () => {
    const outside = new Outside(whole());
    for (let reading = 0; reading < 7; reading++) await outside.write(reading % 2, [edit("#seven")]);
    const before = await outside.latest();
    const playing = whole().playGenerated(3, 6_000, 200);
    await whole().runBatch("--seal");
    await playing;
    const { steps, total, contains } = await whole().ask(batchOf("#seven"));
    expect({ steps, total }).toMatchObject({ total: { edits: 7 } });
    expect(reaches(contains.horizon, before)).toBe(true);
    await whole().expectExact();
    // What closed the chunks is no dead letter, and parts of whole chunks are gone.
    const letters = Object.values(await outside.metric("archive_dead_letters_total"));
    expect(letters.reduce((sum, count) => sum + count, 0)).toBe(0);
    const { whole: archived, all } = await outside.stored();
    expect(reaches(all, archived)).toBe(true);
    // Again: nothing but what came since is closed.
    await whole().runBatch("--seal");
    const sealed = await outside.latest();
    await whole().runBatch("--seal");
    expect(await outside.latest()).toEqual(sealed);
    await whole().expectExact();
  });

  test("a chunk is closed by its age, while events come", async () => {
    const outside = new Outside(whole());
    // 18 seconds.
    await configure(whole().stack, { sealHours: "0.005" });
    await pulumiPasses(whole().stack, "up", "--yes", "--skip-preview");
    await outside.write(0, [edit("#aged")]);
    const wanted = { 0: (await outside.latest())[0] as number };
    const playing = whole().playGenerated(4, 4_000, 100);
    await eventually("the chunk by its age", async () =>
      reaches((await outside.stored()).whole, wanted) ? true : undefined,
    );
    await playing;
    await configure(whole().stack, { sealHours: "24" });
    await pulumiPasses(whole().stack, "up", "--yes", "--skip-preview");
    await whole().runBatch();
    expect((await whole().ask(batchOf("#aged"))).total).toMatchObject({ edits: 1 });
    await whole().expectExact();
  });
}

/** What others delete is named, and what is safe elsewhere is trimmed. */
export function lossesAndTrimming(whole: () => WholeArchitecture): void {
  test("a file of the master dataset that was changed is named, and nothing is swapped in", async () => {
    const { masterDataset, storage: at, batchViews: _, ...of } = new Outside(whole()).configuration;
    if (at.kind !== "hdfs") throw new Error("the local target has HDFS");
    using storage = openStorage(at);
    using hdfs = new WebHdfs({ url: at.webHdfs, user: at.user });
    const folder = partitionFolder(masterDataset, { ...of, partition: 1 });
    const name = (await storage.list(folder)).find((one) => archivedRange(one) !== undefined) as string;
    const text = await storage.readText(`${folder}/${name}`);
    const write = (content: string) => hdfs.create(`${folder}/${name}`, [Buffer.from(content)], { overwrite: true });
    const { contains } = await whole().ask("/views/edits-by-channel/top?measure=edits&limit=1");
    await write(text.replace(/"added":\d/, '"added":9'));
    const lines: string[] = [];
    const command = [...whole().architecture.batchCommand, "--force"];
    await expect(runBatch(command, (line) => lines.push(line))).rejects.toThrow("exit code 1");
    await write(text);
    expect(lines.join("\n")).toContain("1 files of the master dataset are damaged, so that nothing was swapped in");
    expect(lines.join("\n")).toContain(`${folder}/${name}: `);
    const after = await whole().ask("/views/edits-by-channel/top?measure=edits&limit=1");
    expect(after.contains.version).toBe(contains.version);
  });

  test("records that others delete before they are archived are a named loss; the archiver stays up, and --accept-loss goes on", async () => {
    const outside = new Outside(whole());
    const partition = 0;
    // Whatever was lost before is another story.
    await whole().runBatch("--accept-loss", "--seal");
    const from = (await outside.latest())[partition] as number;
    // Its supervisor starts it again after a moment; until then nobody reads.
    expect(await whole().killProcesses(/archiver/, /--address=/)).toBeGreaterThan(0);
    await outside.write(
      partition,
      Array.from({ length: 50 }, () => edit("#deleted")),
    );
    const lost = from + 50;
    await outside.deleteRecords(partition, lost);
    await outside.write(partition, [edit("#behind")]);
    const missing = await eventually("the alarm", async () => {
      // While it starts, it does not answer.
      const offsets = await outside.metric("archive_lost_offsets").catch((): Offsets => ({}));
      return (offsets[partition] ?? 0) > 0 ? offsets[partition] : undefined;
    });
    expect(missing).toBe(50);
    const pid = await outside.archiver();
    // What is behind the loss is archived all the same.
    await eventually("a part behind the loss", async () =>
      (await outside.hasPart(partition, lost)) ? true : undefined,
    );
    expect(await outside.archiver()).toBe(pid);
    expect((await fetch(`${whole().architecture.archiverUrl}/healthz`)).status).toBe(200);
    // Nothing goes on by itself: the batch views end before the loss.
    expect((await outside.stored()).whole[partition]).toBeLessThanOrEqual(from);

    await whole().runBatch("--accept-loss", "--seal");
    await eventually("the end of the alarm", async () =>
      (await outside.metric("archive_lost_offsets"))[partition] === 0 ? true : undefined,
    );
    const behind = await whole().ask(batchOf("#behind"));
    expect(behind.total).toMatchObject({ edits: 1 });
    expect(behind.contains.holes).toContainEqual({ partition, from, to: lost, accepted: true });
    const all = await eventually("an answer that lags in nothing", async () => {
      const answer = await whole().ask("/views/edits-by-channel?channel=%23deleted&granularity=all");
      return answer.contains.lag === 0 ? answer : undefined;
    });
    expect(all.contains.complete).toBe(true);
    // No layer has them any more, and the answer says so.
    expect(all.total?.edits ?? 0).toBe(0);
    expect(all.contains.holes).toContainEqual({ partition, from, to: lost, accepted: true });
  });

  test("records that are archived, in every batch view and old enough go from the log, and no answer changes", async () => {
    const outside = new Outside(whole());
    const question = "/views/edits-by-channel/top?measure=edits&limit=50";
    const { rows } = await whole().ask(question);
    const before = await outside.watermarks();
    // 4 seconds.
    await configure(whole().stack, { retentionHours: "0.001" });
    await pulumiPasses(whole().stack, "up", "--yes", "--skip-preview");
    const trimmed = await eventually("the log's new begin", async () => {
      const now = Object.entries(await outside.watermarks());
      const moved = now.filter(([name, { earliest }]) => earliest > (before[Number(name)]?.earliest ?? 0));
      return moved.length > 0 ? moved : undefined;
    });
    const { whole: archived } = await outside.stored();
    for (const [name, { earliest }] of trimmed) {
      expect(earliest).toBeLessThanOrEqual(archived[name] as number);
      expect(earliest % outside.configuration.chunkSize).toBe(0);
    }
    expect((await whole().ask(question)).rows).toEqual(rows);
    await outside.write(1, [edit("#later")]);
    const later = await eventually("a later event", async () => {
      const answer = await whole().ask("/views/edits-by-channel?channel=%23later&granularity=all");
      return answer.total?.edits === 1 ? answer : undefined;
    });
    expect(later.contains.complete).toBe(true);
  });
}
