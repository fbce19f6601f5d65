import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { SharedReads } from "../../../jobs/serving/shared-reads.ts";

/** Reads that end when they are told to. */
function reads() {
  const begun: PromiseWithResolvers<number>[] = [];
  const read = () => {
    const one = Promise.withResolvers<number>();
    begun.push(one);
    return one.promise;
  };
  return { begun, read };
}
const moment = 5;
const settled = () => sleep(4 * moment);

test("who asks while a read is under way shares the next, which begins after that", async () => {
  const { begun, read } = reads();
  const shared = new SharedReads<number>(moment);
  const first = shared.get("a", read);
  const [second, third] = [shared.get("a", read), shared.get("a", read)];
  await settled();
  expect(begun).toHaveLength(1);
  begun[0]?.resolve(1);
  expect(await first).toBe(1);
  await settled();
  expect(begun).toHaveLength(2);
  const fourth = shared.get("a", read);
  begun[1]?.resolve(2);
  expect(await Promise.all([second, third])).toEqual([2, 2]);
  await settled();
  begun[2]?.resolve(3);
  expect(await fourth).toBe(3);
  expect(begun).toHaveLength(3);
});

test("a failure is that of those who shared the read, not of the next", async () => {
  const { begun, read } = reads();
  const shared = new SharedReads<number>(moment);
  const first = shared.get("a", read);
  const second = shared.get("a", read);
  begun[0]?.reject(new Error("away"));
  await expect(first).rejects.toThrow("away");
  await settled();
  begun[1]?.resolve(2);
  expect(await second).toBe(2);
});

test("who asks a moment after a read began shares the next as well", async () => {
  const { begun, read } = reads();
  const shared = new SharedReads<number>(1_000);
  const first = shared.get("a", read);
  begun[0]?.resolve(1);
  await first;
  void shared.get("a", read);
  await settled();
  expect(begun).toHaveLength(1);
});

test("reads of other kinds, and those a moment later, do not wait", async () => {
  const { begun, read } = reads();
  const shared = new SharedReads<number>(moment);
  void shared.get("a", read);
  void shared.get("b", read);
  expect(begun).toHaveLength(2);
  begun[0]?.resolve(1);
  await settled();
  const later = shared.get("a", read);
  expect(begun).toHaveLength(3);
  begun[2]?.resolve(3);
  expect(await later).toBe(3);
});
