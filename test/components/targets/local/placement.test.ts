import fc from "fast-check";
import { expect, test } from "vitest";
import { loopbackAddress, Placements } from "../../../../components/targets/local/placement.ts";

test("every address is a loopback address of its own kind: never 127.0.x.y, never a network's first or last", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.nat(5000), (stack, name, attempt) => {
      const [first, x, y, z] = loopbackAddress(stack, name, attempt).split(".").map(Number) as number[];
      expect(first).toBe(127);
      expect(x).toBeGreaterThanOrEqual(1);
      expect(x).toBeLessThanOrEqual(254);
      expect(y).toBeLessThanOrEqual(255);
      expect(z).toBeGreaterThanOrEqual(1);
      expect(z).toBeLessThanOrEqual(254);
    }),
  );
});

test("the instances of a stack share the first 12 bits, and no two have the same address", () => {
  const placements = new Placements("stack", "/folder");
  const addresses = Array.from({ length: 2000 }, (_, index) => placements.place(`server-${index}`).address);
  expect(new Set(addresses).size).toBe(addresses.length);
  const prefix = (address: string) => {
    const [, x, y] = address.split(".").map(Number) as number[];
    return ((x as number) << 4) | ((y as number) >> 4);
  };
  expect(new Set(addresses.map(prefix)).size).toBe(1);
});

test("an instance keeps its place, in this run and in the next", () => {
  const names = ["a", "b", "c", "a"];
  const places = () => {
    const placements = new Placements("stack", "/folder");
    return names.map((name) => placements.place(name));
  };
  expect(places()).toEqual(places());
  expect(places()[0]).toEqual(places()[3]);
});

test("data lies beside the instance's own folder, which a deletion removes", () => {
  expect(new Placements("stack", "/folder").place("kafka-broker-0")).toMatchObject({
    configuration: "/folder/kafka-broker-0/configuration",
    logs: "/folder/kafka-broker-0/logs",
    data: "/folder/data/kafka-broker-0",
  });
});
