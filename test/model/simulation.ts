import { AsyncLocalStorage } from "node:async_hooks";

/** What becomes of an operation: it may fail before or after its effect, or its caller may die then. */
export type Fate = "fine" | "fails before" | "fails after" | "dies before" | "dies after";

/** An operation of a process on a server, which waits to be let through. */
interface Operation {
  readonly perform: (fate: Fate) => void;
}

interface Timer {
  readonly due: number;
  readonly fire: () => void;
}

const later = setImmediate;

/** Which process runs, of any simulation. */
const context = new AsyncLocalStorage<SimulatedProcess>();

/** The process that this is called in; undefined if it is none. */
export function currentProcess(): SimulatedProcess | undefined {
  return context.getStore();
}

/** Everything that can go on without a server or the clock has gone on. */
export function settled(): Promise<void> {
  return new Promise((resolve) => later(resolve));
}

/** How far a process goes. */
export interface Run {
  /** The most operations. */
  readonly operations: number;
  /** The most milliseconds of the clock that it may wait in all. Default: 0 */
  readonly milliseconds?: number;
  /** What becomes of each operation, by its number from 0. Default: all are fine */
  readonly fate?: (operation: number) => Fate;
  /** Which of the operations that wait at once comes next, of so many. Default: the first */
  readonly choose?: (waiting: number) => number;
  /** Looked at after each operation: whether that is enough. Default: never */
  readonly until?: () => boolean;
}

/**
 * Processes that share servers and a clock, one operation at a time: which of them goes on, and when time passes, is the
 * test's to say. A process is what runs in {@link SimulatedProcess.start}, by its asynchronous context.
 */
export class Simulation {
  /** Milliseconds since 1970. */
  now = Date.UTC(2026, 0, 1);

  process(name: string): SimulatedProcess {
    return new SimulatedProcess(name, this);
  }

  /** The process that this is called in. */
  get current(): SimulatedProcess {
    const current = currentProcess();
    if (current === undefined) throw new Error("this is no process of the simulation");
    return current;
  }

  /** As the global one, by the simulation's clock. */
  readonly setTimeout = (fire: (...args: unknown[]) => void, milliseconds = 0, ...args: unknown[]): object => {
    const { current } = this;
    const add = () => current.addTimer(() => fire(...args), milliseconds, handle);
    const handle = { refresh: add };
    return add();
  };

  readonly clearTimeout = (timer: unknown): void => {
    currentProcess()?.removeTimer(timer);
  };

  /** As the global one, by the simulation's clock. */
  readonly setInterval = (fire: () => void, milliseconds = 0): object => {
    const { current } = this;
    const handle = {};
    const again = () => {
      current.addTimer(
        () => {
          again();
          fire();
        },
        milliseconds,
        handle,
      );
    };
    again();
    return handle;
  };

  readonly clearInterval = this.clearTimeout;

  /** As that of `node:timers/promises`. */
  readonly sleep = <Value>(
    milliseconds = 0,
    value?: Value,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Value> => {
    const { signal } = options;
    const { current } = this;
    if (current.isImmediate) return settled().then(() => value as Value);
    return new Promise<Value>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const abort = () => {
        current.removeTimer(timer);
        reject(signal?.reason);
      };
      const timer = current.addTimer(() => {
        signal?.removeEventListener("abort", abort);
        resolve(value as Value);
      }, milliseconds);
      signal?.addEventListener("abort", abort, { once: true });
    });
  };
}

/** One process: killed, it does nothing more. */
export class SimulatedProcess {
  readonly name: string;
  isDead = false;
  /** Whether it waits for nothing: its operations are let through at once, no time passes, and nothing happens to it. */
  isImmediate = false;
  readonly simulation: Simulation;
  readonly #operations: Operation[] = [];
  /** By what they are known by. */
  readonly #timers = new Map<object, Timer>();

  constructor(name: string, simulation: Simulation) {
    this.name = name;
    this.simulation = simulation;
  }

  /** Begins something in this process. */
  start<Result>(main: () => Result): Result {
    return context.run(this, main);
  }

  /** Whether it waits for nothing but the clock. */
  get isIdle(): boolean {
    return this.#operations.length === 0;
  }

  kill(): void {
    this.isDead = true;
  }

  /**
   * An operation on a server. It ends when the process is let through, and never if the process is killed.
   *
   * @param partly what of the effect there is if it fails half-way. Default: nothing
   * @param failure the error if it fails; undefined if the client is patient itself, and fails of nothing that passes
   */
  operate<Result>(effect: () => Result, failure: Error | undefined, partly?: () => void): Promise<Result> {
    if (this.isImmediate) return new Promise((resolve) => resolve(effect()));
    return new Promise<Result>((resolve, reject) => {
      const perform = (fate: Fate) => {
        const isFailing = failure !== undefined && fate.startsWith("fails");
        try {
          if (fate === "dies before" || (isFailing && fate === "fails before")) partly?.();
          else {
            const value = effect();
            if (fate !== "dies after" && !isFailing) resolve(value);
          }
          if (isFailing) reject(failure);
        } catch (error) {
          if (!fate.startsWith("dies")) reject(error);
        }
      };
      this.#operations.push({ perform });
    });
  }

  /** Lets the process go on, up to so many operations, as far as it comes in the time given. */
  async run({ operations, milliseconds = 0, fate, choose, until }: Run): Promise<void> {
    const end = this.simulation.now + milliseconds;
    await settled();
    for (let count = 0; count < operations && !this.isDead && until?.() !== true; ) {
      this.#fireDue();
      await settled();
      if (this.#operations.length > 0) {
        const [operation] = this.#operations.splice(
          (choose?.(this.#operations.length) ?? 0) % this.#operations.length,
          1,
        );
        const outcome = fate?.(count) ?? "fine";
        count++;
        if (outcome.startsWith("dies")) this.isDead = true;
        operation?.perform(outcome);
        await settled();
        continue;
      }
      const next = Math.min(...[...this.#timers.values()].map(({ due }) => due));
      if (!(next <= end)) return;
      this.simulation.now = Math.max(this.simulation.now, next);
    }
  }

  /** @param handle what the timer is known by. Default: an object of its own */
  addTimer(fire: () => void, milliseconds: number, handle: object = {}): object {
    this.#timers.set(handle, { due: this.simulation.now + Math.max(1, milliseconds), fire });
    return handle;
  }

  removeTimer(handle: unknown): void {
    this.#timers.delete(handle as object);
  }

  #fireDue(): void {
    const due = [...this.#timers].filter(([, timer]) => timer.due <= this.simulation.now);
    for (const [handle, { fire }] of due.sort(([, a], [, b]) => a.due - b.due))
      if (this.#timers.delete(handle)) this.start(fire);
  }
}
