import { setTimeout as sleep } from "node:timers/promises";
import type { Offsets } from "../chunks.ts";
import type { Archived } from "./horizon.ts";

/** What {@link waitForArchiver} works with. */
export interface WaitForArchiverArgs {
  /** How far the master dataset reaches now. */
  readonly archived: () => Promise<Archived>;
  readonly report: (message: string) => void;
  readonly signal: AbortSignal;
  /** How long nothing may have moved before it is given up, in milliseconds. Default: five minutes */
  readonly patience?: number;
  /** Milliseconds between two looks. Default: 1,000 */
  readonly poll?: number;
}

/**
 * Waits until the archiver has published everything before the given offsets.
 *
 * @throws {Error} saying what is missing and why that may be, if it does not get on
 */
export async function waitForArchiver(
  { archived, report, signal, patience = 300_000, poll = 1_000 }: WaitForArchiverArgs,
  wanted: Offsets,
): Promise<void> {
  let before = "";
  for (let end = performance.now() + patience; ; await sleep(poll, undefined, { signal })) {
    const { horizon, gaps } = await archived();
    const missing = Object.entries(wanted).filter(([partition, offset]) => (horizon[partition] ?? 0) < offset);
    if (missing.length === 0) return;
    const text = missing
      .map(([partition, offset]) => `partition ${partition}: ${horizon[partition] ?? 0} of ${offset}`)
      .join("; ");
    if (text !== before) {
      report(`waits for the archiver (${text})`);
      end = performance.now() + patience;
    }
    before = text;
    if (performance.now() < end) continue;
    const gap = gaps.find(({ partition }) => missing.some(([name]) => Number(name) === partition));
    throw new Error(
      `the archiver has not published what is to be read (${text}). ${
        gap === undefined
          ? "Does it run? See its log: npm run logs -- archiver"
          : `Offsets ${gap.from} to ${gap.to - 1} of partition ${gap.partition} are not archived: if its log says that they are lost, npm run batch -- --accept-loss`
      }`,
    );
  }
}
