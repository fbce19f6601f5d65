import type { Json } from "./multilang.ts";

/** What the spout sends to a bolt: a stretch of a partition. The bolt reads the events themselves from Kafka. */
export interface Descriptor {
  readonly partition: number;
  readonly chunk: number;
  /** The rows shall hold the chunk's events from its first up to this offset (exclusive). */
  readonly end: number;
  /** The names of the views that need it. */
  readonly views: readonly string[];
  /** The tables that the rows are for, see `SpeedStore.tablesId`: rows written to others before do not count. */
  readonly tables: string;
}

/** The fields of a descriptor's tuple, in order. */
export const descriptorFields = ["partition", "chunk", "end", "views", "tables"] as const;

/** The descriptor as a tuple. */
export function toTuple({ partition, chunk, end, views, tables }: Descriptor): Json[] {
  return [partition, chunk, end, views, tables];
}

/** The tuple's descriptor. */
export function fromTuple(tuple: readonly Json[]): Descriptor {
  const [partition, chunk, end, views, tables] = tuple;
  return {
    partition: Number(partition),
    chunk: Number(chunk),
    end: Number(end),
    views: views as string[],
    tables: String(tables),
  };
}

/** The descriptor's id: the same stretch for the same tables, the same id. */
export function descriptorId({ partition, chunk, end, tables }: Descriptor): string {
  return `${partition}/${chunk}/${end}/${tables}`;
}
