/*
 * One whole architecture on the local target, through histories in which events could be lost or answers be wrong. Each
 * file beside brings its own steps, in an order that leaves the next one what it needs.
 */
import { afterAll, beforeAll } from "vitest";
import { registerAdmission } from "./nothing-lost/admission.ts";
import { registerPartitions } from "./nothing-lost/partitions.ts";
import { registerUpgrade } from "./nothing-lost/upgrade.ts";
import { WholeArchitecture } from "./support/whole-architecture.ts";

const stack = "test-nothing-lost";
let whole: WholeArchitecture;

beforeAll(async () => {
  whole = await WholeArchitecture.bringUp(stack, { archiveMinutes: "0.1" });
});

afterAll(() => WholeArchitecture.remove(stack, whole));

registerAdmission(() => whole);
registerPartitions(() => whole);
registerUpgrade(() => whole);
