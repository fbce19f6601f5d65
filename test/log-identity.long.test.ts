/*
 * One whole architecture on the local target whose log becomes another one: another topic, a log that lost its tail, a topic
 * that was made again.
 */
import { afterAll, beforeAll } from "vitest";
import { registerLogIdentity } from "./nothing-lost/log-identity.ts";
import { WholeArchitecture } from "./support/whole-architecture.ts";

const stack = "test-log-identity";
let whole: WholeArchitecture;

beforeAll(async () => {
  whole = await WholeArchitecture.bringUp(stack, { archiveMinutes: "0.1" });
});

afterAll(() => WholeArchitecture.remove(stack, whole));

registerLogIdentity(() => whole);
