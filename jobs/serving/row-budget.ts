import { tooMuch } from "../batch/query.ts";
import { TooMuchError } from "../batch/too-much-error.ts";
import type { AnyView } from "./stores.ts";

/** The most rows of a key that one question reads of a layer: some 138 days of minutes. */
export const mostRows = 200_000;
/** The most bytes of their states; of a ranking, of its keys. */
export const mostBytes = 64 * 1024 * 1024;

/** The most keys that are ranked, of each layer: some 70 MiB of sums. */
export const mostRankedKeys = 400_000;

/** What one question may read of a layer. It is counted before a row is kept, so that memory is never taken for more. */
export class RowBudget {
  readonly #view: AnyView;
  readonly #mostRows: number;
  #rows = 0;
  #bytes = 0;

  /** @param most rows. Default: {@link mostRows} */
  constructor(view: AnyView, most = mostRows) {
    this.#view = view;
    this.#mostRows = most;
  }

  /**
   * Counts a row.
   *
   * @param bytes those of its states
   * @throws {TooMuchError} if the question has had its share
   */
  take(bytes: number): void {
    this.#rows++;
    this.#bytes += bytes;
    if (this.#rows > this.#mostRows || this.#bytes > mostBytes)
      throw new TooMuchError(tooMuch(this.#view, this.#mostRows));
  }
}
