import { setTimeout as sleep } from "node:timers/promises";

/** How {@link withBackOff} goes on after failures. */
export interface BackOffOptions {
  /** Ends the waiting: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Whether an error may pass by itself. Default: every error */
  readonly isTransient?: (error: Error) => boolean;
  /** Told of every failure that is tried again, with the number of failures so far. Default: nobody */
  readonly onRetry?: ((error: Error, failures: number) => void) | undefined;
  /** The longest pause, in milliseconds. Default: 2,000 */
  readonly longestMilliseconds?: number;
}

/** The pause after so many failures in a row: 50 ms, doubled each time. */
export function backOffMilliseconds(failures: number, longest = 2_000): number {
  return Math.min(longest, 50 * 2 ** Math.min(failures - 1, 20));
}

/** The operation's result, tried again and again, with growing pauses, until it comes. */
export async function withBackOff<Result>(
  operation: () => Promise<Result>,
  options: BackOffOptions = {},
): Promise<Result> {
  for (let failures = 1; ; failures++) {
    options.signal?.throwIfAborted();
    try {
      return await operation();
    } catch (thrown) {
      options.signal?.throwIfAborted();
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (options.isTransient !== undefined && !options.isTransient(error)) throw error;
      options.onRetry?.(error, failures);
    }
    await pause(backOffMilliseconds(failures, options.longestMilliseconds), options.signal);
  }
}

/** Waits, or is rejected with the signal's reason. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** The promise's result, unless the signal comes first: then it is rejected with the signal's reason. */
export function abortable<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
