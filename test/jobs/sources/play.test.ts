import { describe, expect, it } from "vitest";
import { type PlayOptions, play } from "../../../jobs/sources/play.ts";
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
});
