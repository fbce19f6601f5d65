import type { EncodedRow } from "../../jobs/batch/records.ts";
import type { Simulation } from "./simulation.ts";

/** Druid in memory: datasources that are whole, or are being loaded. */
export class SimulatedDruid {
  /** Undefined while it is being loaded. */
  readonly datasources = new Map<string, readonly EncodedRow[] | undefined>();
  readonly #simulation: Simulation;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  /** The rows of a datasource. @throws {Error} if it is not whole: never fewer rows */
  rows(name: string): Promise<readonly EncodedRow[]> {
    return this.#operate(() => {
      const rows = this.datasources.get(name);
      if (rows === undefined) throw new Error(`Druid serves no segment of ${name}`);
      return rows;
    });
  }

  async load(name: string, rows: readonly EncodedRow[]): Promise<void> {
    // One that is there already stays as it is.
    if ((await this.#operate(() => this.datasources.get(name))) !== undefined) return;
    await this.#operate(() => void this.datasources.set(name, undefined));
    await this.#operate(() => void this.datasources.set(name, rows));
  }

  names(): Promise<string[]> {
    return this.#operate(() => [...this.datasources.keys()]);
  }

  remove(name: string): Promise<void> {
    return this.#operate(() => void this.datasources.delete(name));
  }

  #operate<Result>(effect: () => Result): Promise<Result> {
    return this.#simulation.current.operate(effect, new Error("Druid is away"));
  }
}
