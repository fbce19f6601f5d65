import { expect, test } from "vitest";
import { answeredHosts, misdirected } from "../../jobs/hosts.ts";

test("a server on this machine answers to its own address only, so that no foreign name can lead a browser to it", () => {
  const hosts = answeredHosts("127.9.3.4", 9300);
  expect(hosts).toEqual(["127.9.3.4:9300", "localhost:9300"]);
  expect(misdirected(hosts, "127.9.3.4:9300")).toBeUndefined();
  expect(misdirected(hosts, "evil.example:9300")).toBe("this is 127.9.3.4:9300, not evil.example:9300");
  expect(misdirected(hosts, undefined)).toContain("not ");
  expect(misdirected(hosts, "x".repeat(10_000))?.length).toBeLessThan(300);
  expect(answeredHosts("::1", 80)).toEqual(["[::1]:80", "localhost:80"]);
});

test("elsewhere names lead to it that cannot be known", () => {
  expect(answeredHosts("0.0.0.0", 80)).toBeUndefined();
  expect(misdirected(undefined, "anything")).toBeUndefined();
});
