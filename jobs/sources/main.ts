/** Plays events into the topic: of a file, of the generator, or live ones of Wikimedia's wikis. */
import { parseArgs } from "node:util";
import { readConfiguration } from "../configuration.ts";
import { EventProducer } from "../kafka/event-producer.ts";
import { fileSource } from "./file.ts";
import { generatorSource } from "./generator.ts";
import { type Played, play } from "./play.ts";
import type { Source } from "./source.ts";
import { wikimediaSource } from "./wikimedia.ts";

const usage = `usage: node jobs/sources/main.ts --configuration FILE
  one of
    --input FILE     JSON lines, plain or gzip
    --events N       edits that the generator makes up, [--seed N] (default: 1)
    --wikimedia      live edits of Wikimedia's wikis, until it is stopped, [--url URL]
  --rate N           events a second (default: as fast as it goes)
  --from N, --to N   play only the source's events [N, N), counted from 0`;

const { values } = parseArgs({
  options: {
    configuration: { type: "string" },
    input: { type: "string" },
    events: { type: "string" },
    seed: { type: "string" },
    wikimedia: { type: "boolean" },
    url: { type: "string" },
    rate: { type: "string" },
    from: { type: "string" },
    to: { type: "string" },
  },
});
const chosen = [values.input, values.events, values.wikimedia].filter((source) => source !== undefined);
if (chosen.length !== 1) fail("exactly one of --input, --events and --wikimedia is needed");
const numbers = {
  events: wholeNumber("events"),
  seed: wholeNumber("seed"),
  rate: wholeNumber("rate"),
  from: wholeNumber("from"),
  to: wholeNumber("to"),
};
if (numbers.rate === 0) fail("--rate must be a whole number from 1; it is 0");

const configuration = readConfiguration();
const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort(new Error(signal)));

const onRetry = (error: Error, failures: number) => {
  if (failures % 20 === 1) console.error(`${error.message}; tries again (failure ${failures})`);
};
const producer = new EventProducer({
  ...configuration.kafka,
  clientId: "source",
  topic: configuration.topic,
  onRetry,
});

let reported = 0;
try {
  const { rate, from, to } = numbers;
  const played = await play(source(), producer, { rate, from, to, signal: stop.signal, onProgress: report });
  console.log(`played ${describe(played)}`);
} catch (error) {
  console.error(`cannot go on: ${(error as Error).message}`);
  process.exitCode = 1;
}
await producer.close();

function source(): Source {
  if (values.input !== undefined) return fileSource(values.input);
  if (numbers.events !== undefined) return generatorSource(numbers.seed ?? 1, numbers.events);
  return wikimediaSource({ ...(values.url === undefined ? {} : { url: values.url }), onRetry, signal: stop.signal });
}

/** Reports progress once a second. */
function report(played: Played): void {
  if (played.seconds - reported < 1) return;
  reported = played.seconds;
  console.log(describe(played));
}

function describe({ events, seconds }: Played): string {
  const rate = seconds > 0 ? Math.round(events / seconds) : 0;
  return `${events.toLocaleString("en")} events in ${seconds.toFixed(1)} s, ${rate.toLocaleString("en")} a second`;
}

function wholeNumber(name: "events" | "seed" | "rate" | "from" | "to"): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) fail(`--${name} must be a whole number; it is ${text}`);
  return Number(text);
}

function fail(problem: string): never {
  console.error(`${problem}\n${usage}`);
  process.exit(2);
}
