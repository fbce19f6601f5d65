/** Prints a line of progress with the seconds since the program's start. */
export function report(message: string): void {
  console.log(`[${(performance.now() / 1_000).toFixed(1).padStart(6)} s] ${message}`);
}

/** A signal that is aborted when the program is asked to stop. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)));
  return stop.signal;
}
