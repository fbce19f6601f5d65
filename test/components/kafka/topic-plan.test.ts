import { expect, test } from "vitest";
import {
  type ExistingTopic,
  planTopics,
  topicSentences,
  type WantedTopic,
} from "../../../components/kafka/topic-plan.ts";

const edits: ExistingTopic = { partitions: 2, configuration: { "retention.ms": "3600000" } };
const nothing = { create: [], expand: [], configure: [], refused: [] };

test("a missing topic is created", () => {
  const wanted = { name: "edits", partitions: 2, configuration: { "retention.ms": "3600000" } };
  expect(planTopics([wanted], new Map())).toEqual({ ...nothing, create: [wanted] });
});

test("a topic that is as it shall be, and one that nobody asks for, stay as they are", () => {
  const existing = new Map([
    ["edits", edits],
    ["other", edits],
  ]);
  expect(planTopics([{ name: "edits", ...edits }], existing)).toEqual(nothing);
});

test("partitions are raised", () => {
  expect(planTopics([{ name: "edits", ...edits, partitions: 5 }], new Map([["edits", edits]]))).toEqual({
    ...nothing,
    expand: [{ name: "edits", partitions: 5 }],
  });
});

test("only the settings that differ are changed, and what is wanted no more goes back to the default", () => {
  const found = { partitions: 2, configuration: { "retention.ms": "3600000", "segment.ms": "1000", "flush.ms": "5" } };
  const wanted = {
    name: "edits",
    partitions: 2,
    configuration: { "retention.ms": "7200000", "flush.ms": "5", "compression.type": "zstd" },
  };
  expect(planTopics([wanted], new Map([["edits", found]]))).toEqual({
    ...nothing,
    configure: [
      { name: "edits", set: { "retention.ms": "7200000", "compression.type": "zstd" }, unset: ["segment.ms"] },
    ],
  });
});

test("fewer partitions than there are is refused, with the mend", () => {
  expect(planTopics([{ name: "edits", ...edits, partitions: 1 }], new Map([["edits", edits]])).refused).toEqual([
    "topic edits has 2 partitions and cannot shrink to 1: ask for at least 2, or for a topic of another name",
  ]);
});

test("what is not as it shall be is said in words", () => {
  const existing = new Map([["edits", { partitions: 1, configuration: { "retention.ms": "1", "flush.ms": "5" } }]]);
  const wanted: WantedTopic[] = [
    { name: "edits", partitions: 2, configuration: { "retention.ms": "3600000" } },
    { name: "letters", partitions: 1, configuration: {} },
  ];
  expect(topicSentences(planTopics(wanted, existing))).toEqual([
    "topic letters is missing",
    "topic edits has fewer than 2 partitions",
    "topic edits: retention.ms is not 3600000, flush.ms is set",
  ]);
});
