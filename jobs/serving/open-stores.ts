import { Client, policies, types } from "cassandra-driver";
import { partitionFolder } from "../archive/layout.ts";
import { archivedHorizon } from "../batch/horizon.ts";
import { readPointer } from "../batch/pointer.ts";
import { readBatchTotals, readEncodedRows } from "../batch/query.ts";
import type { Pointer } from "../batch/versions.ts";
import type { Configuration } from "../configuration.ts";
import { RangeReader, type Watermarks } from "../kafka/range-reader.ts";
import { KnownIncarnation, readIncarnation } from "../log/incarnation.ts";
import { LogCheck } from "../log/log-check.ts";
import type { AnyMeasure } from "../measures/measure.ts";
import { openStorage } from "../storage/open-storage.ts";
import { BatchSteps, KeptSteps, type ReadRows } from "./batch-steps.ts";
import type { Progress } from "./coverage.ts";
import { RankedTotals } from "./merge.ts";
import { mostBytes, mostRankedKeys, mostRows } from "./row-budget.ts";
import { SharedReads } from "./shared-reads.ts";
import { speedSteps } from "./speed-steps.ts";
import { speedStore } from "./speed-store.ts";
import type { Stores } from "./stores.ts";
import { VersionCache } from "./version-cache.ts";

/** The most keys whose totals are kept, of all totals together. */
const mostTotals = mostRankedKeys;
/** The most bytes of all keys' totals, or of the rows that they are merged from. */
const totalsBytes = 128 * 1024 * 1024;
/** Milliseconds between two reads of what all questions ask for: one that waits for the next waits half of it more. */
const moment = 5;
/** Milliseconds that all keys' totals may take; who asks for them may give up earlier. */
const totalsTimeout = 60_000;

/**
 * The real stores. Nothing is connected before the first call, and what cannot be reached is tried again by the next
 * one: the serving layer may start before its stores, and outlives their restarts.
 *
 * @param storeTimeout milliseconds to wait for one call
 */
export function openStores(
  configuration: Configuration,
  storeTimeout: number,
): { readonly stores: Stores; close(): Promise<void> } {
  const { cassandra, druid, generations, incarnation, kafka, partitions, speed, topic } = configuration;
  const client = new Client({
    contactPoints: cassandra.contactPoints,
    localDataCenter: cassandra.localDataCenter,
    keyspace: cassandra.keyspace,
    queryOptions: { consistency: types.consistencies.localQuorum, prepare: true, isIdempotent: true },
    socketOptions: { connectTimeout: storeTimeout, readTimeout: storeTimeout },
    // The default waits for up to ten minutes before it looks for a lost server again.
    policies: { reconnection: new policies.reconnection.ExponentialReconnectionPolicy(100, 2_000, false) },
  });
  const reader = new RangeReader({ ...kafka, clientId: "lambda-serving" });
  const storage = openStorage(configuration.storage, storeTimeout);

  // What is kept or shared is read for all who ask: no one question's signal ends it.
  const readRows: ReadRows = (question) =>
    readEncodedRows({ broker: druid.broker, timeout: storeTimeout, mostRows, mostBytes, ...question });
  const kept = new KeptSteps();
  const steps = new Map<string, BatchSteps>();
  const totals = new VersionCache<RankedTotals>(mostTotals, ({ size }) => size);
  const inCassandra = speedStore({ client, generations, partitions, shards: speed.shards });
  const forAll = new AbortController().signal;
  const pointers = new SharedReads<Pointer | undefined>(moment);
  const progress = new SharedReads<readonly Progress[]>(moment);
  const life = new KnownIncarnation(incarnation, () => readIncarnation(client, topic, incarnation));
  const logCheck = new LogCheck({ topic, partitions, reader, topicId: () => life.topicId() });
  const watermarks = new SharedReads<Readonly<Record<number, Watermarks>>>(moment);
  const stores: Stores = {
    ...inCassandra,
    pointer: (view) =>
      pointers.get(view.name, () => readPointer(client, { view: view.name, generation: generations[view.name] ?? "" })),
    progress: (view, chunk) => progress.get(`${view.name} ${chunk}`, () => inCassandra.progress(view, chunk, forAll)),
    speedSteps: (view, version, era, selection) =>
      speedSteps((...rows) => inCassandra.speedRows(...rows, forAll), kept.spans, view, version, era, selection),
    batchSteps(view, version, selection) {
      const of = steps.get(view.name) ?? new BatchSteps(view, readRows, kept);
      steps.set(view.name, of);
      return of.get(version, selection);
    },
    batchTotals: (view, version, measure, { from, to }) =>
      totals.get(JSON.stringify([version.datasource, measure, from, to]), async () => {
        const read = await readBatchTotals({
          broker: druid.broker,
          timeout: totalsTimeout,
          view,
          version,
          measure,
          from,
          to,
          mostKeys: mostTotals,
          mostBytes: totalsBytes,
        });
        return new RankedTotals(view.measures[measure] as AnyMeasure<never>, read);
      }),
    async batchReady(signal) {
      const response = await fetch(`${druid.broker}/druid/broker/v1/readiness`, { signal });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`the broker answers ${response.status}`);
    },
    watermarks: () => watermarks.get(topic, () => reader.watermarks(topic)),
    checkLog: (known, ends) => logCheck.check(known, ends),
    logBegin: () => life.begin(),
    async deadLetters() {
      const watermarks = await reader.watermarks(configuration.deadLetterTopic);
      return Object.fromEntries(Object.entries(watermarks).map(([partition, { latest }]) => [partition, latest]));
    },
    async archived(signal) {
      const folderOf = (partition: number) =>
        partitionFolder(configuration.masterDataset, { ...configuration, partition });
      const names = Array.from({ length: partitions }, (_, partition) => storage.list(folderOf(partition), signal));
      const files = Object.fromEntries((await Promise.all(names)).entries());
      return archivedHorizon(files, partitions, configuration.chunkSize, await life.first()).horizon;
    },
  };
  return {
    stores,
    async close() {
      storage[Symbol.dispose]();
      await Promise.allSettled([client.shutdown(), reader.close()]);
    },
  };
}
