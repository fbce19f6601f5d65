import { setTimeout as sleep } from "node:timers/promises";
import { EventProducer } from "../../jobs/kafka/event-producer.ts";
import { generate } from "../../jobs/sources/generator.ts";
import type { Results } from "./results.ts";
import { logEnd, type Session, speedDrained } from "./session.ts";
import { type Weighted, weightedQuantile } from "./statistics.ts";

/** Milliseconds between two batches of events, and between an answer and the next question. */
const pause = 10;
/** Seconds that are measured, and that come before. */
const measured = 15;
const warmUp = 5;
/** Milliseconds to wait for the last event. */
const patience = 60_000;
/** Clients that ask one question after the other. */
const askers = 2;

/** Some events that were written together. */
interface Batch {
  readonly partition: number;
  /** The offset after the last one. */
  readonly end: number;
  readonly events: number;
  /** When the producer was given them, in milliseconds. */
  readonly produced: number;
}

/**
 * From the moment when a producer is given an event to the moment when a client holds a merged answer that contains it,
 * with events at a steady rate and a client that asks again and again.
 */
export async function measureLatency(
  session: Session,
  results: Results,
  { rate, runs, firstEvent }: { rate: number; runs: number; firstEvent: number },
): Promise<void> {
  const { configuration } = session.architecture;
  await using producer = new EventProducer({
    bootstrapServers: configuration.kafka.bootstrapServers,
    topic: configuration.topic,
    clientId: "bench",
  });
  let next = firstEvent;
  for (let run = 0; run < runs; run++) {
    const ends = await logEnd(session);
    await speedDrained(session, ends);
    const waiting: Batch[] = [];
    const latencies: Weighted[] = [];
    const answers: number[] = [];
    const began = performance.now();
    const end = began + (warmUp + measured) * 1_000;
    let over = false;
    const ask = async () => {
      while (!over) {
        const asked = performance.now();
        const { speed } = await contains(session, next);
        const now = performance.now();
        if (asked > began + warmUp * 1_000) answers.push(now - asked);
        for (let index = waiting.length - 1; index >= 0; index--) {
          const batch = waiting[index] as Batch;
          if ((speed[batch.partition] ?? 0) < batch.end) continue;
          waiting.splice(index, 1);
          if (batch.produced > began + warmUp * 1_000)
            latencies.push({ value: now - batch.produced, count: batch.events });
        }
        if (now > end && waiting.length === 0) over = true;
        if (now > end + patience) throw new Error(`events are not visible ${patience / 1_000} s after the last one`);
        await sleep(pause);
      }
    };
    const produce = async () => {
      for (let sent = 0, turn = 0; performance.now() < end; turn++) {
        const due = Math.floor(((performance.now() - began) / 1_000) * rate) - sent;
        const partition = turn % configuration.partitions;
        if (due > 0) {
          const events = Array.from({ length: due }, () => ({
            value: JSON.stringify(generate(1, next++)),
            partition,
          }));
          sent += due;
          ends[partition] = (ends[partition] ?? 0) + due;
          const batch = { partition, end: ends[partition], events: due, produced: performance.now() };
          await producer.send(events);
          waiting.push(batch);
        }
        await sleep(pause);
      }
    };
    await Promise.all([produce(), ...Array.from({ length: askers }, ask)]);
    const latency = { part: "latency", of: `${rate.toLocaleString("en-US")} events/s`, unit: "ms" } as const;
    results.add({ ...latency, what: "produced to visible, p50" }, weightedQuantile(latencies, 0.5));
    results.add({ ...latency, what: "produced to visible, p99" }, weightedQuantile(latencies, 0.99));
    const weighted = answers.map((value) => ({ value, count: 1 }));
    results.add({ ...latency, what: "of which the answer, p50" }, weightedQuantile(weighted, 0.5));
  }
}

/** What a merged answer of the last minutes contains. */
async function contains(session: Session, next: number): Promise<{ speed: Record<string, number> }> {
  const [view] = session.views;
  const now = generate(1, next);
  const from = new Date(Date.parse(now.time) - 600_000).toISOString();
  const parameters = new URLSearchParams({
    channel: "#en.wikipedia",
    granularity: "minute",
    from: `${from.slice(0, 16)}:00Z`,
  });
  const response = await fetch(`${session.architecture.queryUrl}/views/${view?.name}?${parameters}`);
  if (!response.ok) throw new Error(`the serving layer answers ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { contains: { speed: Record<string, number> } }).contains;
}
