import {
  type ExpiredProgress,
  eraDeletionTimestamp,
  expiredParts,
  expiredProgress,
} from "../../../jobs/batch/speed-expiry.ts";
import type { Pointer, Version } from "../../../jobs/batch/versions.ts";
import { chunkEnd, chunkStart, eraOf, type Offsets } from "../../../jobs/chunks.ts";
import type { Watermarks } from "../../../jobs/kafka/range-reader.ts";
import type { KnownEnd } from "../../../jobs/log/divergence.ts";
import { LogCheck } from "../../../jobs/log/log-check.ts";
import type { AnyMeasure } from "../../../jobs/measures/measure.ts";
import type { ClosedEra, EraPart, Progress } from "../../../jobs/serving/coverage.ts";
import { compactSteps, mergeToSteps, RankedTotals, withTotal } from "../../../jobs/serving/merge.ts";
import { SpanCache } from "../../../jobs/serving/span-cache.ts";
import { speedSteps } from "../../../jobs/serving/speed-steps.ts";
import type { AnyView, Selection, SpeedRow, StepsSelection, Stores } from "../../../jobs/serving/stores.ts";
import { type ChangedRow, ChunkRows } from "../../../jobs/speed/chunk-rows.ts";
import { Aggregate, keyText, type Row } from "../../../jobs/views/aggregate.ts";

/** A speed view in memory, written as jobs/speed writes it and kept as Cassandra keeps it: the newest timestamp wins. */
export class SimulatedSpeedView<Event> {
  readonly rows = new Map<string, SpeedRow>();
  readonly progress = new Map<string, Progress>();
  /** The epoch of the log's leader that is noted with the progress. */
  leaderEpoch = 0;
  readonly #view: AnyView;
  readonly #logs: readonly (readonly Event[])[];
  readonly #chunkSize: number;
  readonly #chunksPerEra: number;
  /** By era and partition, the timestamp of its deletion, which hides what is written later with an earlier one. */
  readonly #deletedParts = new Map<string, number>();
  readonly #deletedProgress = new Map<number, ExpiredProgress>();

  constructor(view: AnyView, logs: readonly (readonly Event[])[], chunkSize: number, chunksPerEra: number) {
    this.#view = view;
    this.#logs = logs;
    this.#chunkSize = chunkSize;
    this.#chunksPerEra = chunksPerEra;
  }

  /**
   * One worker's life in a chunk: it writes at each of the ends what changed since the one before.
   *
   * @param broken if given, the last write is cut off after so many rows, and no progress follows it
   * @param first the first offset of this life of the log
   */
  write(partition: number, chunk: number, ends: readonly number[], broken?: number, first = 0): void {
    const rows = new ChunkRows(this.#view);
    let next = Math.max(first, chunkStart(chunk, this.#chunkSize));
    for (const [index, end] of ends.entries()) {
      for (; next < end; next++) rows.add(this.#logs[partition]?.[next]);
      const changed = rows.takeChanged(end);
      const last = index === ends.length - 1 && broken !== undefined;
      for (const row of last ? changed.slice(0, broken) : changed) this.#upsert(row, partition, chunk, end);
      if (!last) this.#advance(partition, chunk, end);
    }
  }

  /** Writes everything up to an offset, in one go a chunk. */
  writeTo(partition: number, end: number): void {
    for (let chunk = 0; chunkStart(chunk, this.#chunkSize) < end; chunk++)
      this.write(partition, chunk, [Math.min(end, chunkEnd(chunk, this.#chunkSize))]);
  }

  /** Deletes what is expired, as the batch run does. */
  expire(horizon: Offsets): void {
    const layout = { chunkSize: this.#chunkSize, chunksPerEra: this.#chunksPerEra };
    const partOf = ({ partition, chunk }: SpeedRow) => ({ shard: 0, era: eraOf(chunk, this.#chunksPerEra), partition });
    for (const { era, partition } of expiredParts([...this.rows.values()].map(partOf), horizon, layout))
      this.#deletedParts.set(`${era} ${partition}`, eraDeletionTimestamp(era, layout));
    for (const expired of expiredProgress(horizon, layout)) this.#deletedProgress.set(expired.partition, expired);
    for (const [id, row] of this.rows) if (this.#hides(row)) this.rows.delete(id);
    for (const [id, row] of this.progress) if (this.#hidesProgress(row)) this.progress.delete(id);
  }

  #hides({ partition, chunk, written }: Pick<SpeedRow, "partition" | "chunk" | "written">): boolean {
    return written <= (this.#deletedParts.get(`${eraOf(chunk, this.#chunksPerEra)} ${partition}`) ?? -1);
  }

  #hidesProgress({ partition, chunk, end }: Pick<Progress, "partition" | "chunk" | "end">): boolean {
    const deleted = this.#deletedProgress.get(partition);
    return deleted !== undefined && chunk < deleted.chunk && end <= deleted.timestamp;
  }

  #upsert(row: ChangedRow, partition: number, chunk: number, end: number): void {
    if (this.#hides({ partition, chunk, written: end })) return;
    const id = JSON.stringify([row.key, row.bucket, partition, chunk]);
    const old = this.rows.get(id);
    if ((old?.written ?? -1) > end) return;
    // A cell that is not written stays as it is.
    this.rows.set(id, { ...row, partition, chunk, written: end, previous: row.previous ?? old?.previous });
  }

  #advance(partition: number, chunk: number, end: number): void {
    if (this.#hidesProgress({ partition, chunk, end })) return;
    const id = `${partition}/${chunk}`;
    const before = this.progress.get(id)?.end ?? -1;
    this.progress.set(id, { partition, chunk, end: Math.max(before, end), leaderEpoch: this.leaderEpoch });
  }
}

/** The stores in memory. Fields may be changed, and methods replaced, in the middle of a test. */
export class SimulatedStores<Event> implements Stores {
  pointers = new Map<string, Pointer>();
  readonly views = new Map<string, SimulatedSpeedView<Event>>();
  /** Where readers see the log end, by partition. */
  latest: Record<number, number>;
  /** Where the log begins, by partition. Default: at 0 */
  earliest: Record<number, number> = {};
  /** Kafka's id of the topic, and the epoch of every partition's leader. */
  topicId = "first";
  leaderEpoch = 0;
  /** Where each epoch but the leader's own ends, by partition. Default: nowhere before the log's end */
  epochEnds: Record<number, Record<number, number>> = {};
  /** By partition, the first offset of this life of the log. Default: 0 */
  first: Offsets = {};
  /** Whether events of former lives of the log are archived. */
  hasFormer = false;
  /** How often Kafka was asked for its epochs, and for the topic's id. */
  readonly asked = { epochs: 0, topicId: 0 };
  readonly #check: LogCheck;
  readonly #logs: readonly (readonly Event[])[];
  readonly #chunksPerEra: number;
  readonly #kept = new SpanCache(1_000_000);

  constructor(logs: readonly (readonly Event[])[], views: readonly AnyView[], chunkSize: number, chunksPerEra: number) {
    this.#logs = logs;
    this.#chunksPerEra = chunksPerEra;
    this.latest = Object.fromEntries(logs.map((log, partition) => [partition, log.length]));
    for (const view of views) this.views.set(view.name, new SimulatedSpeedView(view, logs, chunkSize, chunksPerEra));
    this.#check = new LogCheck({
      topic: "events",
      partitions: logs.length,
      reader: {
        latest: () => this.watermarks(),
        topicId: async () => {
          this.asked.topicId++;
          return this.topicId;
        },
        epochEnds: async (_topic, epochs) => {
          this.asked.epochs++;
          return Object.fromEntries(
            Object.entries(epochs).map(([name, epoch]) => {
              const end = this.epochEnds[Number(name)]?.[epoch] ?? this.latest[Number(name)] ?? 0;
              return [name, { leaderEpoch: epoch, end }];
            }),
          );
        },
      },
      topicId: async () => "first",
      moment: 20,
    });
  }

  /** Makes a batch view of everything before the horizon the current one. */
  publish(view: AnyView, version: string, horizon: Offsets, retained: readonly Version[] = []): void {
    const rows = this.#aggregate(view, horizon).size;
    this.pointers.set(view.name, { version, datasource: version, horizon, rows, lost: [], retained });
  }

  async pointer(view: AnyView): Promise<Pointer | undefined> {
    return this.pointers.get(view.name);
  }

  async progress(view: AnyView, chunk: number) {
    return [...(this.views.get(view.name)?.progress.values() ?? [])].filter((row) => row.chunk >= chunk);
  }

  async speedRows(
    view: AnyView,
    eras: readonly EraPart[],
    selection: Selection,
    take: (row: SpeedRow) => void,
    _signal: AbortSignal,
  ) {
    const asked = new Set(eras.flatMap(({ era, partitions }) => partitions.map((partition) => `${era} ${partition}`)));
    for (const row of this.views.get(view.name)?.rows.values() ?? [])
      if (
        asked.has(`${eraOf(row.chunk, this.#chunksPerEra)} ${row.partition}`) &&
        isSelected(row.key, row.bucket, selection)
      )
        take(row);
  }

  speedSteps(view: AnyView, version: Version | undefined, era: ClosedEra, selection: StepsSelection) {
    return speedSteps(
      (...rows) => this.speedRows(...rows, new AbortController().signal),
      this.#kept,
      view,
      version,
      era,
      selection,
    );
  }

  async batchSteps(view: AnyView, version: Version, selection: StepsSelection) {
    const steps = mergeToSteps(view, this.#batchRows(view, version, selection), selection.granularity);
    return withTotal(view, compactSteps(view, steps).steps);
  }

  async batchTotals(view: AnyView, version: Version, measure: string, selection: Selection) {
    const index = Object.keys(view.measures).indexOf(measure);
    const rows = this.#batchRows(view, version, selection);
    return new RankedTotals(
      view.measures[measure] as AnyMeasure<never>,
      rows.map((row) => ({ key: row.key, state: row.states[index] })),
    );
  }

  async batchReady() {}

  async watermarks() {
    return Object.fromEntries(
      Object.entries(this.latest).map(([partition, latest]) => [
        partition,
        { earliest: this.earliest[Number(partition)] ?? 0, latest, leaderEpoch: this.leaderEpoch },
      ]),
    );
  }

  checkLog(known: readonly KnownEnd[], ends: Readonly<Record<number, Watermarks>>) {
    return this.#check.check(known, ends);
  }

  async logBegin() {
    return { first: this.first, hasFormer: this.hasFormer };
  }

  async deadLetters(): Promise<Offsets> {
    return Object.fromEntries(this.#logs.map((_, partition) => [partition, 0]));
  }

  async archived(): Promise<Offsets> {
    return Object.fromEntries(this.#logs.map((_, partition) => [partition, 0]));
  }

  #batchRows(view: AnyView, version: Version, selection: Selection): Row[] {
    return [...this.#aggregate(view, version.horizon).rows()].filter((row) =>
      isSelected(keyText(row.key), row.bucket, selection),
    );
  }

  #aggregate(view: AnyView, horizon: Offsets): Aggregate<unknown> {
    const aggregate = new Aggregate(view);
    for (const [partition, log] of this.#logs.entries())
      for (const event of log.slice(0, horizon[partition] ?? 0)) aggregate.add(event);
    return aggregate;
  }
}

function isSelected(key: string, bucket: number, selection: Selection): boolean {
  return (
    (selection.key === undefined || keyText(selection.key) === key) &&
    bucket >= (selection.from ?? Number.NEGATIVE_INFINITY) &&
    bucket < (selection.to ?? Number.POSITIVE_INFINITY)
  );
}
