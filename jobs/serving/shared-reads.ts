import { setTimeout as sleep } from "node:timers/promises";

/**
 * Reads that many questions at once ask for alike, done once for all of them: who asks while a read is under way, or a
 * moment after it began, gets the result of the next one. So a result was always read after it was asked for, and under
 * load there are no more reads of a kind than that.
 */
export class SharedReads<Result> {
  readonly #moment: number;
  readonly #kinds = new Map<string, Kind<Result>>();

  /** @param moment milliseconds between the beginnings of two reads of a kind, at least */
  constructor(moment: number) {
    this.#moment = moment;
  }

  /** @param kind what is read: `read` is the same for the same kind */
  get(kind: string, read: () => Promise<Result>): Promise<Result> {
    const of = this.#kinds.get(kind);
    if (of === undefined) return this.#start(kind, read);
    of.next ??= of.over.then(() => this.#start(kind, read));
    return of.next;
  }

  #start(kind: string, read: () => Promise<Result>): Promise<Result> {
    const running = read();
    const of: Kind<Result> = { over: Promise.allSettled([running, sleep(this.#moment)]), next: undefined };
    this.#kinds.set(kind, of);
    of.over.then(() => {
      // Whoever waits for the next read starts it now.
      if (of.next === undefined) this.#kinds.delete(kind);
    });
    return running;
  }
}

interface Kind<Result> {
  /** Settles, never rejects, when the next read may begin. */
  readonly over: Promise<unknown>;
  next: Promise<Result> | undefined;
}
