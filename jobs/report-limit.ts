/**
 * Bounds how often something that happens again and again is reported, as a failure in an outage: the first of a kind at
 * once, then one in each interval, with how many there were.
 */
export class ReportLimit {
  readonly #interval: number;
  readonly #kinds = new Map<string, { last: number; unreported: number }>();

  /** @param interval milliseconds. Default: 10,000 */
  constructor(interval = 10_000) {
    this.#interval = interval;
  }

  /**
   * Notes that it has happened once more.
   *
   * @param kind one of few, e.g. the store that fails
   * @returns how often it has happened since the last report, if it is time for one; else undefined
   */
  note(kind: string): number | undefined {
    const state = this.#kinds.get(kind) ?? { last: Number.NEGATIVE_INFINITY, unreported: 0 };
    this.#kinds.set(kind, state);
    state.unreported++;
    const now = performance.now();
    if (now - state.last < this.#interval) return undefined;
    const { unreported } = state;
    state.last = now;
    state.unreported = 0;
    return unreported;
  }
}
