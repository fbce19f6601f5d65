import type { RankedTotals } from "./merge.ts";

/** The most keys that are kept of all totals together: some 50 MiB of sums. */
const defaultKeys = 250_000;

/**
 * Keeps the totals of versions of batch views, which never change: those that were asked for last. To add up all keys
 * of a view is what takes Druid the longest. Who asks for the same at the same time waits for the same.
 */
export class TotalsCache {
  readonly #mostKeys: number;
  /** In the order in which they were asked for last. */
  readonly #kept = new Map<string, RankedTotals>();
  readonly #loading = new Map<string, Promise<RankedTotals>>();
  #keys = 0;

  /** @param mostKeys the most keys of all totals; totals of more keys are not kept. Default: 250,000 */
  constructor(mostKeys = defaultKeys) {
    this.#mostKeys = mostKeys;
  }

  /**
   * The totals by their name, loaded if they are not kept.
   *
   * @throws what loading throws; then nothing is kept
   */
  async get(name: string, load: () => Promise<RankedTotals>): Promise<RankedTotals> {
    const kept = this.#kept.get(name);
    if (kept !== undefined) {
      this.#kept.delete(name);
      this.#kept.set(name, kept);
      return kept;
    }
    let loading = this.#loading.get(name);
    if (loading === undefined) {
      loading = load()
        .then((totals) => {
          this.#keep(name, totals);
          return totals;
        })
        .finally(() => this.#loading.delete(name));
      this.#loading.set(name, loading);
    }
    return loading;
  }

  #keep(name: string, totals: RankedTotals): void {
    if (totals.size > this.#mostKeys) return;
    this.#kept.set(name, totals);
    this.#keys += totals.size;
    for (const [oldest, { size }] of this.#kept) {
      if (this.#keys <= this.#mostKeys) return;
      this.#kept.delete(oldest);
      this.#keys -= size;
    }
  }
}
