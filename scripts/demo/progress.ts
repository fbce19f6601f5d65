/** Prints lines with the seconds since the start. */
export class Progress {
  readonly #start = performance.now();
  #shown = 0;

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#start) / 1_000;
  }

  say(line: string): void {
    this.#shown = performance.now();
    console.log(`[${this.seconds.toFixed(1).padStart(6)} s] ${line}`);
  }

  /** Prints the line if nothing was printed for two seconds. */
  tick(line: string): void {
    if (performance.now() - this.#shown >= 2_000) this.say(line);
  }
}
