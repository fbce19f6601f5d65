/*
 * The yardstick of the batch layer: one pass in memory over files of events, with the same schema and the same views,
 * as a plain program would do it.
 *
 *     yardstick.ts --module APPLICATION FOLDER
 *
 * Prints one JSON object: events, rows, and what the pass took, in seconds.
 */
import { createReadStream, readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Application } from "../../jobs/application.ts";
import { decodeEvent } from "../../jobs/events/decode.ts";
import { splitLines } from "../../jobs/lines.ts";
import { Aggregate } from "../../jobs/views/aggregate.ts";

const { values, positionals } = parseArgs({
  options: { module: { type: "string", default: "" } },
  allowPositionals: true,
});
const application = (await import(values.module)).default as Application<unknown>;
const [folder = ""] = positionals;

const began = performance.now();
const before = process.cpuUsage();
const aggregates = application.views.map((view) => new Aggregate(view));
let events = 0;
for (const file of readdirSync(folder)) {
  const source: AsyncIterable<Buffer> = createReadStream(join(folder, file), { highWaterMark: 256 * 1024 });
  for await (const lines of splitLines(source))
    for (const line of lines) {
      const { event, reason } = decodeEvent(application, line, Number.POSITIVE_INFINITY);
      if (reason !== undefined) continue;
      events++;
      for (const aggregate of aggregates) aggregate.add(event);
    }
}
const { user, system } = process.cpuUsage(before);
const rows = aggregates.reduce((sum, { size }) => sum + size, 0);
console.log(JSON.stringify({ events, rows, seconds: (performance.now() - began) / 1_000, cpu: (user + system) / 1e6 }));
