import type { Offsets } from "../chunks.ts";

/** One complete batch view. */
export interface Version {
  /** When its run began, `YYYYMMDDTHHMMSSmmm` in UTC: later versions sort later. */
  readonly version: string;
  /** Its Druid datasource, see {@link datasource}. */
  readonly datasource: string;
  /** The offsets that it covers, always at chunks' edges. */
  readonly horizon: Offsets;
}

/** The batch view that answers, and the older ones that still can. */
export interface Pointer extends Version {
  /** Newest first; chunks at or past the smallest of their horizons are kept in the speed views. */
  readonly retained: readonly Version[];
}

/** The datasource of a view's version. */
export function datasource(view: string, generation: string, version: string): string {
  return `${view.replaceAll("-", "_")}_${generation}_${version}`;
}
