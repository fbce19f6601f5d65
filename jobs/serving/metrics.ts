import { collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { coverageOf, coveredOffsets, firstChunk, logBegin, speedStart } from "./coverage.ts";
import type { QueryOptions } from "./query.ts";
import { type AnyView, bounded, StoreError, type StoreName } from "./stores.ts";

/** The serving layer's measurements, for Prometheus. */
export interface Metrics {
  readonly registry: Registry;
  /** Seconds by route, view, layer and status. */
  readonly queries: Histogram<"route" | "view" | "layer" | "status">;
  /** Reads the stores and gives the text of all measurements. A store that does not answer has its `lambda_store_up` at 0. */
  collect(): Promise<string>;
}

/** Makes the measurements of the given views. */
export function createMetrics(options: QueryOptions, views: readonly AnyView[]): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Gauge({ name, help, labelNames, registers });
  const queries = new Histogram({
    name: "lambda_query_duration_seconds",
    help: "Time to answer a query",
    labelNames: ["route", "view", "layer", "status"] as const,
    buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
    registers,
  });
  const log = gauge("lambda_log_offset", "Where the log ends: events in", ["partition"]);
  const deadLetters = gauge("lambda_dead_letters", "Events set aside as no events", ["partition"]);
  const archived = gauge("lambda_archived_offset", "Where the master dataset ends", ["partition"]);
  const horizon = gauge("lambda_horizon_offset", "Where the batch view ends", ["view", "partition"]);
  const speed = gauge("lambda_speed_offset", "Where the speed view ends", ["view", "partition"]);
  const lag = gauge("lambda_lag", "Offsets of the log that no answer holds yet", ["view", "partition"]);
  const holes = gauge("lambda_holes", "Gaps in the speed view that the log can no longer fill", ["view"]);
  const chunks = gauge("lambda_speed_chunks", "Chunks that the speed layer wrote past the horizon", [
    "view",
    "partition",
  ]);
  const version = gauge("lambda_version_info", "1 for every kept version of a batch view", [
    "view",
    "version",
    "state",
  ]);
  const up = gauge("lambda_store_up", "Whether the store answers", ["store"]);
  const all = [log, deadLetters, archived, horizon, speed, lag, holes, chunks, version, up];

  async function read(): Promise<void> {
    const { stores, chunkSize, partitions } = options;
    const milliseconds = options.storeTimeout ?? 5_000;
    const failed = new Set<StoreName>();
    const seen = new Set<StoreName>();
    const attempt = async <Result>(store: StoreName, result: Promise<Result>): Promise<Result | undefined> => {
      seen.add(store);
      try {
        return await result;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        failed.add(store);
        return undefined;
      }
    };
    const [watermarks, letters, kept, , ...perView] = await Promise.all([
      attempt(
        "Kafka",
        bounded("watermarks", milliseconds, (signal) => stores.watermarks(signal)),
      ),
      attempt(
        "Kafka",
        bounded("deadLetters", milliseconds, (signal) => stores.deadLetters(signal)),
      ),
      attempt(
        "storage",
        bounded("archived", milliseconds, (signal) => stores.archived(signal)),
      ),
      attempt(
        "Druid",
        bounded("batchReady", milliseconds, (signal) => stores.batchReady(signal)),
      ),
      ...views.map((view) =>
        attempt(
          "Cassandra",
          (async () => {
            const pointer = await bounded("pointer", milliseconds, (signal) => stores.pointer(view, signal));
            const { first: begin } = await bounded("logBegin", milliseconds, (signal) => stores.logBegin(signal));
            const start = speedStart(pointer?.horizon ?? {}, begin, partitions);
            const first = firstChunk(start, chunkSize);
            const progress = await bounded("progress", milliseconds, (signal) => stores.progress(view, first, signal));
            return { view, pointer, start, progress };
          })(),
        ),
      ),
    ]);
    for (const metric of all) metric.reset();
    for (const [partition, { latest }] of Object.entries(watermarks ?? {})) log.set({ partition }, latest);
    for (const [partition, offset] of Object.entries(letters ?? {})) deadLetters.set({ partition }, offset);
    for (const [partition, offset] of Object.entries(kept ?? {})) archived.set({ partition }, offset);
    for (const state of perView) {
      if (state === undefined) continue;
      const { pointer, start, progress } = state;
      const name = state.view.name;
      const coverage = coverageOf(start, progress, logBegin(watermarks ?? {}), chunkSize);
      holes.set({ view: name }, coverage.holes.filter(({ accepted }) => !accepted).length);
      for (const [partition, end] of Object.entries(coveredOffsets(coverage))) {
        const labels = { view: name, partition };
        const first = start[partition] ?? 0;
        horizon.set(labels, first);
        speed.set(labels, end);
        chunks.set(labels, Math.ceil((end - first) / chunkSize));
        const latest = watermarks?.[Number(partition)]?.latest;
        if (latest !== undefined) lag.set(labels, Math.max(0, latest - end));
      }
      if (pointer !== undefined) {
        version.set({ view: name, version: pointer.version, state: "current" }, 1);
        for (const retained of pointer.retained)
          version.set({ view: name, version: retained.version, state: "retained" }, 1);
      }
    }
    for (const store of seen) up.set({ store }, failed.has(store) ? 0 : 1);
  }

  return {
    registry,
    queries,
    async collect() {
      await read();
      return registry.metrics();
    },
  };
}
