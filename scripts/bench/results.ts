import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { dirname } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parts as order, type Part } from "./options.ts";
import { summaryOf } from "./statistics.ts";

/** What a measurement is of. */
export interface Subject {
  readonly part: Part;
  /** What was measured: a layer, a view, an amount of events. */
  readonly of: string;
  /** The measured quantity. */
  readonly what: string;
  readonly unit: string;
}

/** One quantity, measured once a run. */
export interface Measurement extends Subject {
  /** The day of the first run, `2026-01-31`, UTC. */
  readonly date: string;
  readonly values: number[];
}

/** The machine that the measurements are of. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  /** GiB. */
  readonly memory: number;
  readonly system: string;
  readonly node: string;
}

/** All that was found out on a machine. */
export interface Report {
  readonly machine: Machine;
  readonly measurements: readonly Measurement[];
}

/** Collects what is measured and keeps it in a file, which is whole after every value. */
export class Results {
  readonly #file: string;
  readonly #machine = machine();
  readonly #date = new Date().toISOString().slice(0, 10);
  readonly #measurements: Measurement[];
  readonly #say: (line: string) => void;

  /**
   * @param file the JSON file to write; what it holds of other parts, measured on this machine, stays
   * @param parts the parts that are measured anew
   * @param say told of every value
   */
  constructor(file: string, parts: readonly Part[], say: (line: string) => void) {
    this.#file = file;
    this.#say = say;
    const before: Report | undefined = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
    const isSameMachine = isDeepStrictEqual(before?.machine, this.#machine);
    const kept = isSameMachine ? (before?.measurements ?? []) : [];
    this.#measurements = kept.filter(({ part }) => !parts.includes(part));
  }

  add(subject: Subject, value: number): void {
    const isSame = (one: Subject) =>
      one.part === subject.part && one.of === subject.of && one.what === subject.what && one.unit === subject.unit;
    let measurement = this.#measurements.find(isSame);
    if (measurement === undefined) {
      measurement = { ...subject, date: this.#date, values: [] };
      this.#measurements.push(measurement);
    }
    measurement.values.push(significant(value));
    this.#say(`  ${subject.part}, ${subject.of}: ${subject.what} ${numberText(value)} ${subject.unit}`);
    mkdirSync(dirname(this.#file), { recursive: true });
    writeFileSync(`${this.#file}.new`, `${JSON.stringify(this.report, undefined, 2)}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }

  get report(): Report {
    const inOrder = this.#measurements.toSorted((a, b) => order.indexOf(a.part) - order.indexOf(b.part));
    return { machine: this.#machine, measurements: inOrder };
  }
}

function machine(): Machine {
  return {
    processor: cpus()[0]?.model ?? "?",
    cores: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
  };
}

/** As many digits as such a measurement is good for. */
function significant(value: number): number {
  return Number(value.toPrecision(4));
}

/** A number as people read it: three significant digits, no more of a large one than its whole part. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = Math.abs(value) >= 1_000 ? Math.round(value) : Number(value.toPrecision(3));
  return text.toLocaleString("en-US", { maximumFractionDigits: 6 });
}

/** What a short table shows of all that is measured, by the beginnings of the quantities' names. */
const headlines = [
  "speed layer",
  "CPU, bolt",
  "archived",
  "produced to visible",
  "run, until it answers",
  "MapReduce's CPU,",
  "200 keys/s",
  "top 10",
  "up",
  "preview",
  "destroy",
];

/** The measurements of a short table. */
export function headlinesOf(measurements: readonly Measurement[]): Measurement[] {
  return measurements.filter(
    ({ part, what }) => part !== "growth" && headlines.some((headline) => what.startsWith(headline)),
  );
}

/** The machine and the days of the measurements, as a sentence. */
export function circumstances({ machine: of, measurements }: Report): string {
  const days = [...new Set(measurements.map(({ date }) => date))].sort();
  const when = days.length === 1 ? days[0] : `${days[0]} to ${days.at(-1)}`;
  return `Measured ${when} on ${of.cores} cores (${of.processor}), ${of.memory} GiB, ${of.system}, Node ${of.node}.`;
}

/** The measurements as a table in Markdown, a row a quantity: median, and the smallest and largest of all runs. */
export function markdownTable(measurements: readonly Measurement[]): string {
  const rows = measurements.map(({ part, of, what, unit, values }) => {
    const { median, min, max } = summaryOf(values);
    const spread = values.length === 1 ? "" : `${numberText(min)} – ${numberText(max)}`;
    return `| ${part} | ${of} | ${what} | ${numberText(median)} ${unit} | ${spread} | ${values.length} |`;
  });
  return ["| part | of | measured | median | spread | runs |", "| --- | --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

/** The text of a document with what stands between its two markers replaced. @throws {Error} without the markers */
export function between(document: string, marker: string, content: string): string {
  const [start, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the document has no ${start} … ${end}`);
  return `${document.slice(0, from + start.length)}\n${content}\n${document.slice(to)}`;
}
