import { writeSync } from "node:fs";
import { pipeline } from "node:stream/promises";

/** The group of the counters that tasks report. */
export const counterGroup = "lambda-architecture";

/** A phase of a job: takes lines, gives out lines. */
interface Phase {
  add(line: string): string[];
  flush(): string[];
}

/**
 * Runs a phase as a program of Hadoop Streaming: lines come in on standard input and go out on standard output, and
 * Hadoop counts what is reported on standard error.
 *
 * @param counters what to report at the end, by name
 */
export async function runPhase(phase: Phase, counters: () => Readonly<Record<string, number>>): Promise<void> {
  process.stdin.setEncoding("utf8");
  await pipeline(process.stdin, (source: AsyncIterable<string>) => runLines(phase, source), process.stdout, {
    // Standard output can only be closed by the end of the process.
    end: false,
  });
  for (const [name, value] of Object.entries(counters())) {
    if (value > 0) writeSync(2, `reporter:counter:${counterGroup},${name},${value}\n`);
  }
}

async function* runLines(phase: Phase, source: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const lines of splitLines(source)) {
    const output = lines.flatMap((line) => phase.add(line));
    if (output.length > 0) yield `${output.join("\n")}\n`;
  }
  const output = phase.flush();
  if (output.length > 0) yield `${output.join("\n")}\n`;
}

/**
 * The complete lines in each piece of text. Only line feeds end a line: `node:readline` would also cut at U+2028, which
 * JSON leaves as it is.
 */
export async function* splitLines(source: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = "";
  for await (const text of source) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() as string;
    if (lines.length > 0) yield lines;
  }
  if (rest !== "") yield [rest];
}
