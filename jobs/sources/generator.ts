import type { WikipediaEdit } from "../wikipedia/event.ts";
import { randomNumbers } from "./random.ts";
import type { SourceEvent } from "./source.ts";

/** Languages, the most edited first. */
const languages =
  "en vi de fr ru it es zh ja ar pt uk nl pl sv he fa ko ca cs id fi hu tr no ceb el ro hy gl sr kk da et sl bg".split(
    " ",
  );
const namespaces = ["Main", "Main", "Main", "Main", "Main", "Main", "User", "Talk", "User talk", "Wikipedia"];
const countries = [
  ["United States", "US"],
  ["India", "IN"],
  ["Germany", "DE"],
  ["Brazil", "BR"],
  ["Vietnam", "VN"],
] as const;

const pagesOfLargest = 200_000;
const usersOfLargest = 50_000;
/** The first event's time. */
const epoch = Date.UTC(2026, 0, 1);
const millisecondsApart = 250;
const minute = 60_000;
const day = 86_400_000;

/**
 * An edit of Wikipedia that nobody made, always the same for the same seed and index: an oracle can replay any of them
 * by itself. Four edits come in a second of their own time, on a few wikis, pages and by a few users most of the time;
 * one in 50 is up to an hour late, one in 1,000 up to five days.
 *
 * @param seed any whole number
 * @param index 0 for the first edit, without a limit
 */
export function generate(seed: number, index: number): WikipediaEdit {
  const random = randomNumbers(seed, index);
  const language = zipf(random(), languages.length);
  const channel = `#${languages[language]}.wikipedia`;
  const isAnonymous = random() < 0.1;
  const number = zipf(random(), usersOfLargest / (language + 1));
  const isRobot = !isAnonymous && number % 7 === 3;
  const country = isAnonymous ? countries[zipf(random(), countries.length)] : undefined;
  const page = zipf(random(), pagesOfLargest / (language + 1));
  const namespace = namespaces[page % namespaces.length] as string;
  const size = Math.floor(2 ** (random() * 12)) - 1;
  const isDeletion = random() < 0.2;
  return {
    time: new Date(epoch + index * millisecondsApart - lateness(random(), random())).toISOString(),
    channel,
    cityName: null,
    comment: isRobot ? "Bot: maintenance" : size > 500 ? "/* History */ new section" : "typo",
    countryIsoCode: country?.[1] ?? null,
    countryName: country?.[0] ?? null,
    isAnonymous,
    isMinor: size < 20,
    isNew: random() < 0.03,
    isRobot,
    isUnpatrolled: isAnonymous,
    metroCode: null,
    namespace,
    page: namespace === "Main" ? `Page ${page}` : `${namespace}:Page ${page}`,
    regionIsoCode: null,
    regionName: null,
    user: isAnonymous ? `192.0.2.${number % 256}` : `${isRobot ? "Bot" : "User"} ${languages[language]} ${number}`,
    delta: isDeletion ? 0 - size : size,
    added: isDeletion ? 0 : size,
    deleted: isDeletion ? size : 0,
  };
}

/** The edits with the indices `[0, events)`. */
export function* generatorSource(seed: number, events: number): Generator<readonly SourceEvent[]> {
  const batch = 1_000;
  for (let from = 0; from < events; from += batch)
    yield Array.from({ length: Math.min(batch, events - from) }, (_, index) => ({
      value: JSON.stringify(generate(seed, from + index)),
    }));
}

/** A whole number in [0, n), k drawn about in proportion to 1 / (k + 1). */
function zipf(uniform: number, n: number): number {
  return Math.min(Math.floor(n), Math.floor((Math.floor(n) + 1) ** uniform)) - 1;
}

/** How many milliseconds an edit comes after its time. */
function lateness(kind: number, amount: number): number {
  if (kind < 0.001) return Math.floor(amount * 5 * day);
  if (kind < 0.021) return Math.floor(amount * 60 * minute);
  return Math.floor(amount * 2_000);
}
