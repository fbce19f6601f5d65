import type { Offsets } from "../../../jobs/chunks.ts";
import type { ChangedRow } from "../../../jobs/speed/chunk-rows.ts";
import { previousText } from "../../../jobs/speed/previous-state.ts";
import type { ChunkProgress } from "../../../jobs/speed/resume.ts";
import type { AnyView, SpeedStore, Stretch } from "../../../jobs/speed/store.ts";

/** A cell with its write time. */
interface Cell {
  readonly value: string;
  readonly timestamp: number;
}

/** A row's cells, each written for itself. */
interface StoredCells {
  readonly state: Cell;
  readonly previous: Cell | undefined;
}

/** What is left of a cell that is written again. */
function newest(old: Cell | undefined, written: Cell): Cell {
  if (old === undefined || written.timestamp > old.timestamp) return written;
  return written.timestamp === old.timestamp && written.value > old.value ? written : old;
}

/** What Cassandra does with the speed layer's statements: of two writes of a cell the later timestamp wins, and of two with the same one the larger value. */
export class MemoryStore implements SpeedStore {
  /** Rows by `view|partition|chunk` and `key|bucket`. */
  readonly rows = new Map<string, Map<string, StoredCells>>();
  readonly #progress = new Map<string, ChunkProgress & { readonly view: string }>();
  readonly horizons = new Map<string, Offsets>();
  /** The epochs of the log's leaders at all of the horizons. */
  epochs: Offsets = {};
  #tables = 1;

  async writeRows(view: AnyView, stretch: Stretch, rows: readonly ChangedRow[]): Promise<void> {
    for (const row of rows) this.writeRow(view, stretch, row);
  }

  writeRow(view: AnyView, { partition, chunk, end }: Stretch, { key, bucket, state, previous }: ChangedRow) {
    const place = `${view.name}|${partition}|${chunk}`;
    const rows = this.rows.get(place) ?? new Map<string, StoredCells>();
    this.rows.set(place, rows);
    const id = `${key}|${bucket}`;
    const old = rows.get(id);
    rows.set(id, {
      state: newest(old?.state, { value: state, timestamp: end }),
      previous:
        previous === undefined
          ? old?.previous
          : newest(old?.previous, { value: previousText(previous), timestamp: end }),
    });
  }

  async writeProgress(view: AnyView, { partition, chunk, end, leaderEpoch }: Stretch): Promise<void> {
    const id = `${view.name}|${partition}|${chunk}`;
    if (end > (this.#progress.get(id)?.end ?? -1))
      this.#progress.set(id, { view: view.name, partition, chunk, end, leaderEpoch });
  }

  async progress(view: AnyView): Promise<ChunkProgress[]> {
    return [...this.#progress.values()].filter((row) => row.view === view.name);
  }

  async covered(view: AnyView): ReturnType<SpeedStore["covered"]> {
    return { horizon: this.horizons.get(view.name) ?? {}, epochs: this.epochs };
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
