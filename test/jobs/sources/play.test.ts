import { describe, expect, it } from "vitest";
import type { EventProducer } from "../../../jobs/kafka/event-producer.ts";
import { PlayError, type PlayedEvents, type PlayOptions, play } from "../../../jobs/sources/play.ts";
import type { SourceEvent } from "../../../jobs/sources/source.ts";

const events = Array.from({ length: 5_500 }, (_, index) => ({ value: String(index) }));
/** The events, in batches of uneven sizes. */
const source = [events.slice(0, 1), events.slice(1, 1), events.slice(1, 2_700), events.slice(2_700)];

async function played(options: PlayOptions = {}) {
  const batches: (readonly SourceEvent[])[] = [];
  let onTheirWay = 0;
  let most = 0;
  const producer = {
    send: async (batch: readonly SourceEvent[]) => {
      batches.push(batch);
      most = Math.max(most, ++onTheirWay);
      await new Promise((resolve) => setTimeout(resolve, 1));
      onTheirWay--;
    },
  };
  const result = await play(source, producer, options);
  return { result, most, sizes: batches.map(({ length }) => length), values: batches.flat().map(({ value }) => value) };
}

const values = (from: number, to: number) => events.slice(from, to).map(({ value }) => value);

describe("play", () => {
  it("sends every event in order, in batches, no more than two on their way", async () => {
    const progress: number[] = [];
    const { result, most, sizes, values: sent } = await played({ onProgress: (at) => progress.push(at.events) });
    expect(sent).toEqual(values(0, 5_500));
    expect(result.events).toBe(5_500);
    expect(Math.max(...sizes)).toBe(1_000);
    expect(most).toBe(2);
    expect(progress.at(-1)).toBe(5_500);
  });

  it.each([
    [0, 10],
    [1, 2],
    [2_699, 2_701],
    [5_000, 10_000],
    [7, 7],
    [9_000, 9_001],
  ])("plays the events [%i, %i) only", async (from, to) => {
    expect((await played({ from, to })).values).toEqual(values(from, to));
  });

  it("keeps to a rate, evenly", async () => {
    const { result, sizes } = await played({ to: 400, rate: 1_000 });
    expect(Math.max(...sizes)).toBe(50);
    expect(result.seconds).toBeGreaterThan(0.34);
  });

  it("ends by its signal after what is on its way", async () => {
    const stop = new AbortController();
    const { result, values: sent } = await played({
      signal: stop.signal,
      onProgress: ({ events: so }) => so > 1_000 && stop.abort(new Error("enough")),
    });
    expect(result.events).toBe(sent.length);
    expect(sent.length).toBeLessThan(5_500);
  });

  it("fails with the producer, whether it is the first batch or the last", async () => {
    for (const failing of [1, 7]) {
      let batches = 0;
      const producer = {
        send: async () => {
          if (++batches === failing) throw new Error("no such topic");
        },
      };
      await expect(play(source, producer)).rejects.toThrow("no such topic");
    }
  });

  it("leaves out what is larger than an event may be, names its line, and plays the rest", async () => {
    const lines = ["a", "b".repeat(999), "c".repeat(1_001), "d".repeat(3_000), "e", "f"].map((value, index) => ({
      value,
      line: index + 1,
    }));
    const large: number[] = [];
    const written: PlayedEvents[] = [];
    const sent: string[] = [];
    const producer: Pick<EventProducer, "send"> = {
      send: async (batch, onWritten) => {
        sent.push(...batch.map(({ value }) => String(value)));
        onWritten?.({ partition: 1, offset: 70, first: 0, events: batch.length });
      },
    };
    const result = await play([lines], producer, {
      maxEventBytes: 1_000,
      onTooLarge: (_, place) => large.push(place),
      onWritten: (each) => written.push(each),
    });
    expect(sent.map((value) => value[0])).toEqual(["a", "b", "e", "f"]);
    expect(result).toMatchObject({ events: 4, tooLarge: 2 });
    expect(large).toEqual([3, 4]);
    expect(written).toEqual([{ partition: 1, offset: 70, events: 4, places: [1, 2, 5, 6] }]);
  });

  it("says what was acknowledged before its source failed", async () => {
    async function* cut() {
      yield events.slice(0, 1_500);
      throw new Error("the file is cut");
    }
    const send = async () => new Promise<void>((resolve) => setTimeout(resolve, 5));
    const failure = await play(cut(), { send }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PlayError);
    expect(failure).toMatchObject({ message: "the file is cut", played: { events: 1_500 } });
  });
});
