import type { Offsets } from "../../../jobs/chunks.ts";
import type { ChunkProgress } from "../../../jobs/speed/resume.ts";
import type { AnyView, SpeedStore, Stretch } from "../../../jobs/speed/store.ts";
import { keyText, type Row } from "../../../jobs/views/aggregate.ts";

/** A cell with its write time. */
interface Cell {
  readonly value: string;
  readonly timestamp: number;
}

/** What Cassandra does with the speed layer's statements: of two writes of a cell the later timestamp wins, and of two with the same one the larger value. */
export class MemoryStore implements SpeedStore {
  /** Cells by `view|partition|chunk` and `key|bucket`. */
  readonly rows = new Map<string, Map<string, Cell>>();
  readonly #progress = new Map<string, ChunkProgress & { readonly view: string }>();
  readonly horizons = new Map<string, Offsets>();
  #tables = 1;

  async writeRows(view: AnyView, stretch: Stretch, rows: readonly Row[]): Promise<void> {
    for (const row of rows) this.writeRow(view, stretch, row.key, row.bucket, JSON.stringify(view.encode(row.states)));
  }

  writeRow(view: AnyView, { partition, chunk, end }: Stretch, key: readonly string[], bucket: number, value: string) {
    const id = `${view.name}|${partition}|${chunk}`;
    const cells = this.rows.get(id) ?? new Map<string, Cell>();
    this.rows.set(id, cells);
    const cell = `${keyText(key)}|${bucket}`;
    const old = cells.get(cell);
    if (old === undefined || end > old.timestamp || (end === old.timestamp && value > old.value))
      cells.set(cell, { value, timestamp: end });
  }

  async writeProgress(view: AnyView, { partition, chunk, end }: Stretch): Promise<void> {
    const id = `${view.name}|${partition}|${chunk}`;
    if (end > (this.#progress.get(id)?.end ?? -1)) this.#progress.set(id, { view: view.name, partition, chunk, end });
  }

  async progress(view: AnyView): Promise<ChunkProgress[]> {
    return [...this.#progress.values()].filter((row) => row.view === view.name);
  }

  async horizon(view: AnyView): Promise<Offsets> {
    return this.horizons.get(view.name) ?? {};
  }

  async tablesId(): Promise<string> {
    return `tables-${this.#tables}`;
  }

  /** The tables are dropped, with all they hold, and made again. */
  makeAgain(): void {
    this.rows.clear();
    this.#progress.clear();
    this.horizons.clear();
    this.#tables++;
  }
}
