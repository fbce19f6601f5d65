/*
 * One whole architecture on the local target whose speed layer is given what can never succeed.
 */
import { afterAll, beforeAll } from "vitest";
import { registerRetries } from "./nothing-lost/retries.ts";
import { WholeArchitecture } from "./support/whole-architecture.ts";

const stack = "test-retries";
let whole: WholeArchitecture;

beforeAll(async () => {
  whole = await WholeArchitecture.bringUp(stack, { archiveMinutes: "0.1" });
});

afterAll(() => WholeArchitecture.remove(stack, whole));

registerRetries(() => whole);
