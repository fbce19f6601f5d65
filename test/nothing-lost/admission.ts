import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { type DeadLetter, deadLetterKey, deadLetterSchema } from "../../jobs/archive/dead-letter.ts";
import { EventProducer } from "../../jobs/kafka/event-producer.ts";
import { RangeReader } from "../../jobs/kafka/range-reader.ts";
import { keyText } from "../../jobs/views/aggregate.ts";
import type { WikipediaEdit } from "../../jobs/wikipedia/event.ts";
import type { WholeArchitecture } from "../support/whole-architecture.ts";

/** A day of these events alone. */
const [day, nextDay] = ["2001-02-03", "2001-02-04"];

const edit: WikipediaEdit = {
  time: `${day}T10:00:00Z`,
  channel: "#admission",
  page: "p",
  user: "u",
  added: 1,
  deleted: 0,
};

/** As long as every store keeps a channel, as a key by itself. */
const longest = "x".repeat(32_000 - Buffer.byteLength(keyText([""])));
const control = '#\u0000\u0001\t\r\n\u001f\u007f\u2028\\"%&=+ ☃';
/** The largest value of a sum, and how many of them make more than a number holds. */
const [most, many] = [2 ** 40, 8_201];

/** What every layer takes, and what is left out, by the reason that its dead letter gives. */
const taken: readonly { readonly channel: string; readonly value: string | Buffer }[] = [
  { channel: longest, value: JSON.stringify({ ...edit, channel: longest }) },
  { channel: "☃".repeat(10_000), value: JSON.stringify({ ...edit, channel: "☃".repeat(10_000) }) },
  { channel: control, value: JSON.stringify({ ...edit, channel: control }) },
  { channel: "#marked", value: Buffer.from(`\ufeff${JSON.stringify({ ...edit, channel: "#marked" })}`) },
  { channel: "#unused", value: `{"id":9007199254740993,${JSON.stringify({ ...edit, channel: "#unused" }).slice(1)}` },
];
const refused: readonly (readonly [value: string | Buffer, reason: RegExp])[] = [
  [
    JSON.stringify({ ...edit, channel: "x".repeat(66_000) }),
    /^view edits-by-channel: key of 66004 bytes.*32000.*view edits-by-page: key of/,
  ],
  [
    JSON.stringify({ ...edit, channel: `${longest}x` }),
    /^view edits-by-channel: key of 32001 bytes, most of them in field channel/,
  ],
  [
    JSON.stringify({ ...edit, time: `0000-01-01T00:00:00.${"0".repeat(985_000)}Z` }),
    /time "0000-01-01T00:00:00\.0+"… \(985021 characters\)/,
  ],
  [JSON.stringify({ ...edit, time: "2001-02-30T00:00:00Z" }), /^time: /],
  [
    JSON.stringify({ ...edit, added: most + 1 }),
    /^view edits-by-channel: measure added: 1099511627777 is no whole number within/,
  ],
  [
    JSON.stringify({ ...edit, metroCode: 0 }).replace('"metroCode":0', '"metroCode":9007199254740993'),
    /^metroCode: 9007199254740993 is past ±9007199254740991/,
  ],
  [JSON.stringify({ ...edit, channel: "\ud800" }), /no well-formed Unicode/],
  [`{"deep":${"[".repeat(200)}${"]".repeat(200)},${JSON.stringify(edit).slice(1)}`, /^nested deeper than 100/],
  [Buffer.alloc(985_000, 1), /^not JSON: /],
  [Buffer.alloc(985_000, 0xff), /^not UTF-8/],
];

/** Of what is taken, the longest channel fits no key that has a page beside it: a dead letter for that view alone. */
const refusedByOne = /^view edits-by-page: key of 320\d\d bytes, most of them in field channel/;

/**
 * Steps and expected results:
 * 1. Events come that are longer, larger or other than what stores keep, among sums past 2^53: those that fit every store
 *    are in the speed layer's answers, the others are dead letters that say why; nothing stops.
 * 2. A batch run takes their chunks: Druid's answers are the same.
 *
 * @param whole the running stack
 */
export function registerAdmission(whole: () => WholeArchitecture): void {
  test("what fits a view is in every layer's answers, what does not is a dead letter that says why, and nothing stops", async () => {
    const { kafka, topic } = whole().architecture.configuration;
    const before = new Set((await deadLetters(whole())).map(deadLetterKey));
    await using producer = new EventProducer({ bootstrapServers: kafka.bootstrapServers, topic });
    await producer.send([...taken.map(({ value }) => ({ value })), ...refused.map(([value]) => ({ value }))]);
    const large = JSON.stringify({ ...edit, channel: "#sums", page: "sums", added: most });
    await producer.send(Array.from({ length: many }, () => ({ value: large })));
    await whole().expectExact();

    let letters: DeadLetter[] = [];
    const reasons = [refusedByOne, ...refused.map(([, reason]) => reason)];
    for (let patience = 120; letters.length < reasons.length && patience > 0; patience--) {
      letters = (await deadLetters(whole())).filter((letter) => !before.has(deadLetterKey(letter)));
      if (letters.length < reasons.length) await sleep(500);
    }
    expect(letters).toHaveLength(reasons.length);
    for (const reason of reasons)
      expect(
        letters.filter((letter) => reason.test(letter.reason)),
        String(reason),
      ).toHaveLength(1);
    for (const letter of letters) expect(Buffer.byteLength(JSON.stringify(letter))).toBeLessThanOrEqual(256 * 1024);

    await expectTaken(whole(), "merged");
    await expectTaken(whole(), "speed");
  });

  test("a batch run takes the same of it", async () => {
    // Until every partition's chunks of these events are full.
    const { partitions, chunkSize } = whole().architecture.configuration;
    await whole().playGenerated(31, 2 * partitions * chunkSize);
    await whole().runBatch();
    await expectTaken(whole(), "merged");
    await expectTaken(whole(), "batch");
    await whole().expectExact();
  });
}

/** That a layer has all of what fits, and only that. */
async function expectTaken(whole: WholeArchitecture, layer: string): Promise<void> {
  const ofDay = `from=${day}&to=${nextDay}&layer=${layer}`;
  for (const { channel } of taken) {
    const answer = await whole.ask(`/views/edits-by-channel?channel=${encodeURIComponent(channel)}&${ofDay}`);
    expect(answer.key).toEqual({ channel });
    expect(answer.total, channel.slice(0, 20)).toEqual({ edits: 1, added: 1, deleted: 0, users: 1 });
  }
  const sums = String(BigInt(most) * BigInt(many));
  const { total, rows } = await whole.ask(`/views/edits-by-channel?channel=%23sums&granularity=day&${ofDay}`);
  expect(total).toMatchObject({ edits: many, added: sums });
  expect(rows).toMatchObject([{ added: sums }]);
  const top = await whole.ask(`/views/edits-by-channel/top?measure=added&limit=100&${ofDay}`);
  const inOrder = taken.map(({ channel }) => ({ key: { channel }, value: 1 }));
  inOrder.sort((a, b) => (keyText([a.key.channel]) < keyText([b.key.channel]) ? -1 : 1));
  expect(top.rows).toEqual([{ key: { channel: "#sums" }, value: sums }, ...inOrder]);
}

/** Every dead letter of the stack, in order within its partition. */
async function deadLetters(whole: WholeArchitecture): Promise<DeadLetter[]> {
  const { kafka, deadLetterTopic: topic } = whole.architecture.configuration;
  await using reader = new RangeReader({ bootstrapServers: kafka.bootstrapServers });
  const letters: DeadLetter[] = [];
  for (const [partition, { earliest, latest }] of Object.entries(await reader.watermarks(topic)))
    for await (const records of reader.read(topic, Number(partition), earliest, latest))
      for (const { value } of records) letters.push(deadLetterSchema.parse(JSON.parse(String(value))));
  return letters;
}
