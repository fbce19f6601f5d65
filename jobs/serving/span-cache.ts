import { LRUCache } from "lru-cache";
import { earliestTime, latestTime } from "../views/time.ts";
import { compactSteps, mergeToSteps, type SizedSteps, type StateRow, type Step } from "./merge.ts";
import type { AnyView, StepsSelection } from "./stores.ts";

/** A range of time, in milliseconds since 1970 (UTC): from the first on, before the second. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** Reads the steps of a range. */
export type ReadSteps = (range: TimeRange) => Promise<SizedSteps>;

/** All steps of a range. */
type Span = TimeRange & SizedSteps;

/**
 * Keeps steps that never change, each kind's of one range of time, which grows by what is asked for: of a range that
 * overlaps what is kept only the rest is read. So of windows that move on, each step is read once. What was asked for
 * last is kept; who asks while the kind is being read waits and reads what is then missing.
 */
export class SpanCache {
  readonly #spans: LRUCache<string, Span, { readonly range: TimeRange; readonly read: ReadSteps }>;

  /** @param mostBytes about the most memory that is kept; a kind that takes more is not kept */
  constructor(mostBytes: number) {
    this.#spans = new LRUCache({
      maxSize: mostBytes,
      // What is empty needs a name, too.
      sizeCalculation: ({ bytes }) => bytes + 512,
      fetchMethod: (_kind, span, { context: { range, read } }) => extended(span, range, read),
      // What was there before a failure stays, and what has to make room before it is there was asked for all the same.
      noDeleteOnFetchRejection: true,
      ignoreFetchAbort: true,
    });
  }

  /**
   * The steps of a kind in a range, in order of time.
   *
   * @throws what reading throws; then nothing of it is kept
   */
  async get(kind: string, range: TimeRange, read: ReadSteps): Promise<readonly Step[]> {
    let span = this.#spans.get(kind);
    while (span === undefined || !covers(span, range))
      span = await this.#spans.forceFetch(kind, { forceRefresh: true, context: { range, read } });
    if (covers(range, span)) return span.steps;
    return span.steps.filter(({ time }) => time >= range.from && time < range.to);
  }
}

function covers(span: TimeRange, { from, to }: TimeRange): boolean {
  return span.from <= from && to <= span.to;
}

/** The span and a range that it does not cover; the range alone if there is a gap between them. */
async function extended(span: Span | undefined, range: TimeRange, read: ReadSteps): Promise<Span> {
  if (span === undefined || range.to < span.from || span.to < range.from) return { ...range, ...(await read(range)) };
  const from = Math.min(span.from, range.from);
  const to = Math.max(span.to, range.to);
  const [before, after] = await Promise.all([
    from < span.from ? read({ from, to: span.from }) : undefined,
    span.to < to ? read({ from: span.to, to }) : undefined,
  ]);
  return {
    from,
    to,
    steps: [...(before?.steps ?? []), ...span.steps, ...(after?.steps ?? [])],
    bytes: (before?.bytes ?? 0) + span.bytes + (after?.bytes ?? 0),
  };
}

/**
 * A key's steps, of which only the rows of the times that are not kept are read.
 *
 * @param place what the rows are read from, as JSON: it never changes
 * @throws what reading throws; then nothing of it is kept
 */
export function keptSteps(
  cache: SpanCache,
  place: readonly unknown[],
  view: AnyView,
  { key, granularity, from = earliestTime, to = latestTime }: StepsSelection,
  readRows: (range: TimeRange) => Promise<Iterable<StateRow>>,
): Promise<readonly Step[]> {
  // A range starts and ends with a step, so that steps are the same whatever is asked for; the only one of `all` is not.
  const kind = [...place, granularity, key, ...(granularity === "all" ? [from, to] : [])];
  return cache.get(JSON.stringify(kind), { from, to }, async (range) =>
    compactSteps(view, mergeToSteps(view, await readRows(range), granularity)),
  );
}
