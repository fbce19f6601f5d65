import type { Offsets } from "../chunks.ts";

/** Offsets `[from, to)` of a partition that are lost, and whose loss a person has accepted. */
export interface LostRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** One complete batch view. */
export interface Version {
  /** When its run began, `YYYYMMDDTHHMMSSmmm` in UTC: later versions sort later. */
  readonly version: string;
  /** Its Druid datasource, see {@link datasource}. With no {@link rows} there is none: it must not be queried. */
  readonly datasource: string;
  /** The offsets that it covers, always at chunks' edges. */
  readonly horizon: Offsets;
  /**
   * By partition the epoch of the log's leader at the horizon, as the archiver noted it: by it another log is known although
   * it reaches there again. A partition of which it is not known is left out.
   */
  readonly epochs?: Offsets | undefined;
  /** The number of its rows. */
  readonly rows: number;
  /** What it lacks below its horizon, by partition and offset: nothing else. */
  readonly lost: readonly LostRange[];
}

/** The batch view that answers, and the older ones that still can. */
export interface Pointer extends Version {
  /** Newest first; chunks at or past the smallest of their horizons are kept in the speed views. */
  readonly retained: readonly Version[];
}

/** How many older versions are kept beside the current one, for queries under way and for going back. */
export const retainedVersions = 2;

/** The datasource of a view's version. */
export function datasource(view: string, generation: string, version: string): string {
  return `${view.replaceAll("-", "_")}_${generation}_${version}`;
}

/** The version that a datasource's name ends in; undefined if the name is no batch view's. */
export function versionOfDatasource(name: string): string | undefined {
  return /^[a-z][a-z0-9_]*_[0-9a-f]{8}_(\d{8}T\d{9})$/.exec(name)?.[1];
}

/** Whether a name is a version's, as {@link nextVersion} makes them. */
export function isVersion(name: string): boolean {
  return /^\d{8}T\d{9}$/.test(name);
}

/**
 * The version of a run that begins now.
 *
 * @param now milliseconds since 1970
 * @param existing versions that the new one must sort after, even if the clock was set back
 */
export function nextVersion(now: number, existing: readonly string[]): string {
  const latest = existing.reduce((most, version) => Math.max(most, timeOf(version)), Number.NEGATIVE_INFINITY);
  return new Date(Math.max(now, latest + 1)).toISOString().replaceAll(/[-:.Z]/g, "");
}

function timeOf(version: string): number {
  return Date.parse(version.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})$/, "$1-$2-$3T$4:$5:$6.$7Z"));
}
