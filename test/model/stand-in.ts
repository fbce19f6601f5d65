/**
 * What stands in for the world outside, in tests whose programs run in a {@link Simulation}. It imports nothing of what
 * it stands in for, so that it can be used in `vi.mock`.
 */
import type { MemoryCassandra, Result } from "../support/memory-cassandra.ts";
import type { SimulatedKafka } from "./simulated-log.ts";
import { currentProcess, type Simulation } from "./simulation.ts";

interface Outside {
  readonly simulation: Simulation;
  readonly cassandra: MemoryCassandra;
  readonly kafka: SimulatedKafka;
}

let outside: Outside | undefined;

/** From now on programs see this world. */
export function enter(world: Outside): void {
  outside = world;
}

/** The simulation, where a program of one is what asks. */
function simulation(): Simulation | undefined {
  return currentProcess()?.simulation;
}

const real = { setTimeout, clearTimeout, setInterval, clearInterval, now: performance.now.bind(performance) };

/** Clocks by the simulation for its programs, and real for everybody else: globals by their names. */
export const timers = {
  setTimeout: (...args: Parameters<Simulation["setTimeout"]>) =>
    simulation()?.setTimeout(...args) ?? real.setTimeout(...args),
  clearTimeout: (timer: never) => (simulation()?.clearTimeout ?? real.clearTimeout)(timer),
  setInterval: (...args: Parameters<Simulation["setInterval"]>) =>
    simulation()?.setInterval(...args) ?? real.setInterval(...args),
  clearInterval: (timer: never) => (simulation()?.clearInterval ?? real.clearInterval)(timer),
};

/** In place of `performance.now`. */
export function performanceNow(): number {
  return simulation()?.now ?? real.now();
}

/** The functions of `node:timers/promises` that programs use; nobody else may. */
export const timersPromises = {
  setTimeout: (...args: Parameters<Simulation["sleep"]>) => (simulation() as Simulation).sleep(...args),
};

/** The driver's `Client`. */
export class SimulatedClient {
  readonly #outside = outside as Outside;

  execute(cql: string, values: readonly unknown[] = []): Promise<Result> {
    return this.#operate(() => this.#outside.cassandra.execute(cql, values));
  }

  /** An unlogged batch: half-way, some of it is there. */
  batch(statements: readonly { readonly query: string; readonly params: readonly unknown[] }[]): Promise<void> {
    const execute = (some: typeof statements) => {
      for (const { query, params } of some) this.#outside.cassandra.execute(query, params);
    };
    return this.#operate(
      () => execute(statements),
      () => execute(statements.slice(0, statements.length / 2)),
    );
  }

  async shutdown(): Promise<void> {}

  #operate<Result>(effect: () => Result, partly?: () => void): Promise<Result> {
    return this.#outside.simulation.current.operate(effect, new Error("Cassandra is away"), partly);
  }
}

/** Kafka's `Admin`. */
export class SimulatedAdmin {
  readonly #outside = outside as Outside;

  deleteRecords({ topics }: DeleteRecords): Promise<void> {
    const effect = () => {
      for (const { name, partitions } of topics)
        for (const { partition, offset } of partitions)
          this.#outside.kafka.deleteRecords(name, partition, Number(offset));
    };
    return this.#outside.simulation.current.operate(effect, new Error("Kafka is away"));
  }
}

interface DeleteRecords {
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly partition: number; readonly offset: bigint }[];
  }[];
}
