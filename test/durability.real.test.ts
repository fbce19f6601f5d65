/*
 * One whole architecture on the local target: events are safe in time, slow chunks are closed, damage is named, and what
 * others delete is a named loss.
 */
import { afterAll, beforeAll } from "vitest";
import { durability, lossesAndTrimming } from "./nothing-lost/durability.ts";
import { WholeArchitecture } from "./support/whole-architecture.ts";

const stack = "test-durability";
let whole: WholeArchitecture;

beforeAll(async () => {
  whole = await WholeArchitecture.bringUp(stack, { archiveMinutes: "0.1" });
});

afterAll(() => WholeArchitecture.remove(stack, whole));

durability(() => whole);
// The last: from here on the log no longer has all that was played, so that no pass over it says what is right.
lossesAndTrimming(() => whole);
