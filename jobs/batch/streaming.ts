import { writeSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { splitLines } from "../lines.ts";

/** The group of the counters that tasks report. */
export const counterGroup = "lambda-architecture";

/** A phase of a job: takes lines, gives out lines. Neither has its line feed. */
interface Phase {
  add(line: Buffer): readonly string[];
  flush(): readonly string[];
}

/**
 * Runs a phase as a program of Hadoop Streaming: lines come in on standard input and go out on standard output, and
 * Hadoop counts what is reported on standard error.
 *
 * @param counters what to report at the end, by name
 */
export async function runPhase(phase: Phase, counters: () => Readonly<Record<string, number>>): Promise<void> {
  await pipeline(
    process.stdin,
    (source: AsyncIterable<Buffer>) => runLines(phase, source),
    process.stdout,
    // Standard output is only closed by the end of the process.
    { end: false },
  );
  for (const [name, value] of Object.entries(counters()))
    if (value > 0) writeSync(2, `${counterReport(name, value)}\n`);
}

/**
 * The line by which Hadoop adds to a counter of a task.
 *
 * @throws {TypeError} if the name has a comma, at which Hadoop would cut it and count nothing
 */
export function counterReport(name: string, value: number): string {
  if (name.includes(",")) throw new TypeError(`a counter's name has no comma: ${name}`);
  return `reporter:counter:${counterGroup},${name},${value}`;
}

async function* runLines(phase: Phase, source: AsyncIterable<Buffer>): AsyncGenerator<string> {
  for await (const lines of splitLines(source)) {
    const output: string[] = [];
    for (const line of lines) for (const record of phase.add(line)) output.push(record);
    if (output.length > 0) yield `${output.join("\n")}\n`;
  }
  const output = phase.flush();
  if (output.length > 0) yield `${output.join("\n")}\n`;
}
