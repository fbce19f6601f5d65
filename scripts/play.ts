/*
 * Plays events into the stack's topic: of a file, of the generator, or live ones of Wikimedia's wikis:
 *
 *     npm run play -- --input FILE | --events N | --wikimedia [--rate N] [--from N] [--to N] [--stack NAME]
 *
 *     --input FILE     JSON lines, plain or gzip; a pipe such as /dev/stdin as well
 *     --events N       edits that the generator makes up, [--seed N] (default: 1)
 *     --wikimedia      live edits of Wikimedia's wikis, until it is stopped, [--url URL]
 *     --rate N         events a second (default: as fast as it goes)
 *     --from N, --to N play only the source's events [N, N), counted from 0
 *
 * Exit code 0 only if every event was acknowledged and, as far as the archiver tells, none became a dead letter.
 */
import { EventProducer } from "../jobs/kafka/event-producer.ts";
import { fileSource } from "../jobs/sources/file.ts";
import { generatorSource } from "../jobs/sources/generator.ts";
import { PlayError, type Played, play } from "../jobs/sources/play.ts";
import type { Source } from "../jobs/sources/source.ts";
import { wikimediaSource } from "../jobs/sources/wikimedia.ts";
import { runCommandLine } from "./command-line.ts";
import { type RunningArchitecture, runningArchitecture } from "./demo/architecture.ts";
import { DeadLetterWatch } from "./play/dead-letter-watch.ts";
import { type PlayCommand, type PlayedSource, parsePlayOptions } from "./play/options.ts";
import { outcomeLines, progressText, tooLargeText } from "./play/report.ts";

/** Events that are too large are told one by one up to so many. */
const mostTold = 10;

await runCommandLine(async () => {
  const command = parsePlayOptions(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
  return await playInto(await runningArchitecture(command.stack), command);
});

/** @returns the exit code */
async function playInto(architecture: RunningArchitecture, command: PlayCommand): Promise<number> {
  const { configuration } = architecture;
  const { topic, maxEventBytes } = configuration;
  const unit = command.source.kind === "file" ? "line" : "event";
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort(new Error(signal)));
  const onRetry = (error: Error, failures: number) => {
    if (failures % 20 === 1) console.error(`${error.message}; tries again (failure ${failures})`);
  };
  await using producer = new EventProducer({ ...configuration.kafka, clientId: "source", topic, onRetry });
  const letters = new DeadLetterWatch(architecture);
  let reported = 0;
  let told = 0;
  let failed = false;
  let played: Played;
  await letters.begin();
  try {
    played = await play(sourceOf(command.source, stop.signal, onRetry), producer, {
      ...{ rate: command.rate, from: command.from, to: command.to, signal: stop.signal, maxEventBytes },
      onProgress: (now) => {
        if (now.seconds - reported < 1) return;
        reported = now.seconds;
        console.log(progressText(now));
      },
      onTooLarge: ({ value }, place) => {
        if (++told <= mostTold)
          console.error(tooLargeText(`${unit} ${place}`, Buffer.byteLength(value), maxEventBytes));
      },
      onWritten: (written) => letters.note(written),
    });
    console.log(`played ${progressText(played)}`);
  } catch (error) {
    if (!(error instanceof PlayError)) throw error;
    ({ played } = error);
    failed = true;
    const before = played.events === 0 ? "" : `; ${played.events.toLocaleString("en")} events before were acknowledged`;
    console.error(`${error.message}${before}`);
  }
  if (told > mostTold) console.error(`and ${(told - mostTold).toLocaleString("en")} more that are too large`);
  const outcome = await letters.end();
  for (const line of outcomeLines(outcome, unit)) console.error(line);
  return failed || played.tooLarge > 0 || (outcome?.letters ?? 0) > 0 ? 1 : 0;
}

function sourceOf(
  source: PlayedSource,
  signal: AbortSignal,
  onRetry: (error: Error, failures: number) => void,
): Source {
  switch (source.kind) {
    case "file":
      return fileSource(source.path);
    case "generator":
      return generatorSource(source.seed, source.events);
    case "wikimedia":
      return wikimediaSource({ ...(source.url !== undefined && { url: source.url }), onRetry, signal });
  }
}
