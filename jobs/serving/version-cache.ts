import { LRUCache } from "lru-cache";

/**
 * Keeps what was read of versions of batch views, which never change: what was asked for last. Who asks for the same at
 * the same time waits for the same.
 */
export class VersionCache<Value extends object> {
  readonly #kept: LRUCache<string, Value, () => Promise<Value>>;

  /**
   * @param most the most that is kept, all sizes together; a larger value is not kept
   * @param sizeOf a value's size, in whatever unit
   */
  constructor(most: number, sizeOf: (value: Value) => number) {
    this.#kept = new LRUCache({
      maxSize: most,
      // What is empty needs a name, too.
      sizeCalculation: (value) => Math.max(1, sizeOf(value)),
      fetchMethod: (_name, _stale, { context }) => context(),
      // What has to make room before it is there was asked for all the same.
      ignoreFetchAbort: true,
    });
  }

  /**
   * The value by its name, loaded if it is not kept.
   *
   * @throws what loading throws; then nothing is kept
   */
  get(name: string, load: () => Promise<Value>): Promise<Value> {
    return this.#kept.forceFetch(name, { context: load });
  }
}
