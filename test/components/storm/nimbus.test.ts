import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nameAllowed, nameAllowedCall, nimbusAnswers, topologyRuns } from "../../../components/storm/nimbus.ts";

const folder = mkdtempSync(join(tmpdir(), "nimbus-"));
afterAll(() => rmSync(folder, { recursive: true }));

const reply = (result: string) => {
  const name = Buffer.from("isTopologyNameAllowed");
  const message = Buffer.concat([
    Buffer.from("8001000200000015", "hex"),
    name,
    Buffer.from("00000000", "hex"),
    Buffer.from(result, "hex"),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([length, message]);
};

test("the call and the answers are frames of Thrift's binary protocol", () => {
  const frame = nameAllowedCall("speed");
  expect(frame.readUInt32BE(0)).toBe(frame.length - 4);
  expect(frame.subarray(4).toString("latin1")).toBe(
    "\x80\x01\x00\x01\x00\x00\x00\x15isTopologyNameAllowed\x00\x00\x00\x00\x0b\x00\x01\x00\x00\x00\x05speed\x00",
  );
  expect(nameAllowed(reply("0200000100"))).toBe(true);
  expect(nameAllowed(reply("0200000000"))).toBe(false);
  // An exception is another field.
  expect(nameAllowed(reply("0c0001000000"))).toBeUndefined();
});

test.each([
  ["runs", "0200000000", true],
  ["does not run", "0200000100", false],
])("a topology that %s, as a Nimbus says", async (_, result, runs) => {
  const server = createServer((socket) => socket.once("data", () => socket.write(reply(result))));
  server.listen(0, "127.22.0.77");
  await once(server, "listening");
  const yaml = join(folder, "storm.yaml");
  const { port } = server.address() as AddressInfo;
  writeFileSync(yaml, `nimbus.seeds: ["127.22.0.77", "127.22.0.78"]\nnimbus.thrift.port: ${port}\n`);
  try {
    expect(await topologyRuns(yaml, "speed")).toBe(runs);
    expect(await nimbusAnswers(yaml)).toBe(true);
  } finally {
    server.close();
  }
});

test("without a Nimbus nobody knows", async () => {
  const yaml = join(folder, "none.yaml");
  writeFileSync(yaml, 'nimbus.seeds: ["127.22.0.79"]\nnimbus.thrift.port: 6627\n');
  expect(await topologyRuns(yaml, "speed")).toBeUndefined();
  expect(await nimbusAnswers(yaml)).toBe(false);
});
