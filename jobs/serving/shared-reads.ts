/**
 * Reads that many questions at once ask for alike, done once for all of them: who asks while a read is under way gets
 * the result of the next one. So a result was always read after it was asked for, and under load there are no more reads
 * of a kind than one after the other.
 */
export class SharedReads<Result> {
  readonly #kinds = new Map<string, Kind<Result>>();

  /** @param kind what is read: `read` is the same for the same kind */
  get(kind: string, read: () => Promise<Result>): Promise<Result> {
    const of = this.#kinds.get(kind);
    if (of === undefined) return this.#start(kind, read);
    of.next ??= of.running.then(
      () => this.#start(kind, read),
      () => this.#start(kind, read),
    );
    return of.next;
  }

  #start(kind: string, read: () => Promise<Result>): Promise<Result> {
    const of: Kind<Result> = { running: read(), next: undefined };
    this.#kinds.set(kind, of);
    const forget = () => {
      // Whoever waits for the next read starts it now.
      if (of.next === undefined) this.#kinds.delete(kind);
    };
    of.running.then(forget, forget);
    return of.running;
  }
}

interface Kind<Result> {
  readonly running: Promise<Result>;
  next: Promise<Result> | undefined;
}
