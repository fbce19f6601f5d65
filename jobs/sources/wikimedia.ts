import { isIP } from "node:net";
import { createParser } from "eventsource-parser";
import * as z from "zod";
import { backOffMilliseconds, pause } from "../back-off.ts";
import type { WikipediaEdit } from "../wikipedia/event.ts";
import type { SourceEvent } from "./source.ts";

/** Wikimedia's stream of recent changes in all its wikis. */
export const recentChanges = "https://stream.wikimedia.org/v2/stream/recentchange";

export interface WikimediaOptions {
  /** The stream's address. Default: {@link recentChanges} */
  readonly url?: string;
  /** Who asks: Wikimedia wants a contact in it. Default: the project's name */
  readonly userAgent?: string;
  /** Told of every lost connection. Default: nobody */
  readonly onRetry?: (error: Error, failures: number) => void;
  /** Ends the source. */
  readonly signal?: AbortSignal;
}

/**
 * The edits that people and bots make just now (https://wikitech.wikimedia.org/wiki/Event_Platform/EventStreams), as
 * {@link WikipediaEdit}. A lost connection is made again and goes on after the last event that was taken. Ends by the
 * signal only.
 */
export async function* wikimediaSource(options: WikimediaOptions = {}): AsyncGenerator<readonly SourceEvent[]> {
  const { signal } = options;
  let lastEventId: string | undefined;
  for (let failures = 1; !signal?.aborted; failures++) {
    try {
      for await (const messages of connect(options, lastEventId)) {
        failures = 0;
        const edits = messages.flatMap(({ data }) => toWikipediaEdit(data) ?? []);
        if (edits.length > 0) yield edits.map((edit) => ({ value: JSON.stringify(edit) }));
        lastEventId = messages.findLast(({ id }) => id !== undefined)?.id ?? lastEventId;
      }
      throw new Error("the stream ended");
    } catch (error) {
      if (signal?.aborted) return;
      options.onRetry?.(error as Error, Math.max(1, failures));
    }
    await pause(backOffMilliseconds(Math.max(1, failures), 30_000), signal).catch(() => {});
  }
}

interface Message {
  readonly id: string | undefined;
  readonly data: string;
}

/** The messages of one connection, as they come. */
async function* connect(options: WikimediaOptions, lastEventId: string | undefined): AsyncGenerator<Message[]> {
  const response = await fetch(options.url ?? recentChanges, {
    headers: {
      accept: "text/event-stream",
      "user-agent": options.userAgent ?? "lambda-architecture (an example of stream processing)",
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    },
    signal: options.signal ?? null,
  });
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new Error(`${response.url} answered HTTP ${response.status}`);
  }
  let messages: Message[] = [];
  const parser = createParser({ onEvent: ({ id, data }) => messages.push({ id, data }) });
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    parser.feed(text);
    if (messages.length > 0) yield messages;
    messages = [];
  }
}

/** The fields of a recent change that an edit needs; a new page has no old length. */
const recentChange = z.object({
  type: z.enum(["edit", "new"]),
  meta: z.object({ dt: z.string(), domain: z.string() }),
  server_name: z.string(),
  namespace: z.int(),
  title: z.string(),
  user: z.string(),
  comment: z.string().optional(),
  bot: z.boolean().optional(),
  minor: z.boolean().optional(),
  patrolled: z.boolean().optional(),
  length: z.object({ new: z.int(), old: z.int().nullish() }),
});

const namespaceNames: Readonly<Record<number, string>> = {
  0: "Main",
  1: "Talk",
  2: "User",
  3: "User talk",
  4: "Wikipedia",
  5: "Wikipedia talk",
  6: "File",
  7: "File talk",
  8: "MediaWiki",
  9: "MediaWiki talk",
  10: "Template",
  11: "Template talk",
  12: "Help",
  13: "Help talk",
  14: "Category",
  15: "Category talk",
};

/**
 * The edit in a message of the stream; undefined if it tells of something else (a log entry, a category's members, a
 * test of the stream itself).
 */
export function toWikipediaEdit(data: string): WikipediaEdit | undefined {
  const change = recentChange.safeParse(parseJson(data)).data;
  if (change === undefined || change.meta.domain === "canary") return undefined;
  const delta = change.length.new - (change.length.old ?? 0);
  return {
    time: change.meta.dt,
    channel: `#${change.server_name.replace(/\.org$/, "")}`,
    namespace: namespaceNames[change.namespace] ?? String(change.namespace),
    page: change.title,
    user: change.user,
    comment: change.comment ?? null,
    added: Math.max(0, delta),
    deleted: Math.max(0, -delta),
    delta,
    isRobot: change.bot ?? false,
    // Since 2025 a person who is not logged in has a temporary account, whose name begins with ~.
    isAnonymous: isIP(change.user) !== 0 || change.user.startsWith("~"),
    isMinor: change.minor ?? false,
    isNew: change.type === "new",
    isUnpatrolled: change.patrolled === false,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
