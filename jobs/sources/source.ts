import type { SourceEvent } from "../kafka/event-producer.ts";

export type { SourceEvent } from "../kafka/event-producer.ts";

/** Where events come from: in batches as it suits the source, which are asked for only when there is room for them. */
export type Source = AsyncIterable<readonly SourceEvent[]> | Iterable<readonly SourceEvent[]>;
