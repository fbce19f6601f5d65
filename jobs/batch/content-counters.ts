import { type Content, digestModulus } from "../archive/content.ts";

/** Half of a digest's bits. */
const half = 2 ** 24;

/**
 * What map tasks have read, as counters. Hadoop adds up those of all tasks, and tells sums beyond 2^53 inexactly: so a
 * digest comes in two halves.
 */
export function contentCounters({ events, bytes, digest }: Content): Record<string, number> {
  return {
    "lines mapped": events,
    "bytes mapped": bytes,
    "digest mapped high": Math.floor(digest / half),
    "digest mapped low": digest % half,
  };
}

/** The inverse, of the sums over all tasks. */
export function countedContent(counter: (name: string) => number): Content {
  const digest = BigInt(counter("digest mapped high")) * BigInt(half) + BigInt(counter("digest mapped low"));
  return {
    events: counter("lines mapped"),
    bytes: counter("bytes mapped"),
    digest: Number(digest % BigInt(digestModulus)),
  };
}
