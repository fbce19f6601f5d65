import { writeSync } from "node:fs";
import { pipeline } from "node:stream/promises";

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
  for (const [name, value] of Object.entries(counters())) {
    if (value > 0) writeSync(2, `reporter:counter:${counterGroup},${name},${value}\n`);
  }
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

/**
 * The complete lines in each piece of input. Only line feeds end a line: `node:readline` would also cut at U+2028,
 * which JSON leaves as it is.
 */
export async function* splitLines(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer[]> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    const lines: Buffer[] = [];
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    for (let end = bytes.indexOf(lineFeed, rest.length); end >= 0; end = bytes.indexOf(lineFeed, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [rest];
}

const lineFeed = 0x0a;
