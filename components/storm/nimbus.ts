import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { parse } from "yaml";

/** Milliseconds that a Nimbus has to answer. */
const answerLimit = 3_000;

/** The addresses of the Nimbus servers in a storm.yaml. */
function nimbusServers(stormYaml: string): { host: string; port: number }[] {
  const yaml = parse(readFileSync(stormYaml, "utf8"));
  return (yaml["nimbus.seeds"] as string[]).map((host) => ({ host, port: yaml["nimbus.thrift.port"] }));
}

/** Whether any Nimbus takes connections: cheaper to ask than to start a JVM. */
export async function nimbusAnswers(stormYaml: string): Promise<boolean> {
  const answers = await Promise.all(nimbusServers(stormYaml).map((server) => call(server)));
  return answers.includes("connected");
}

/**
 * Whether a topology of that name runs; undefined if no Nimbus says. By one call of Nimbus's Thrift interface
 * (`isTopologyNameAllowed`), written by hand: a client of Storm's is a JVM, too dear for a look at every preview.
 */
export async function topologyRuns(stormYaml: string, topology: string): Promise<boolean | undefined> {
  const answers = await Promise.all(nimbusServers(stormYaml).map((server) => call(server, nameAllowedCall(topology))));
  const allowed = answers.map((answer) => (typeof answer === "object" ? nameAllowed(answer) : undefined));
  return allowed.includes(false) ? true : allowed.includes(true) ? false : undefined;
}

const method = "isTopologyNameAllowed";
/** Thrift's binary protocol: its version and the types of messages and fields that come up here. */
const thrift = { version: 0x8001_0000, call: 1, reply: 2, bool: 2, string: 11, stop: 0 };

/** The call as a frame of Thrift's binary protocol. */
export function nameAllowedCall(topology: string): Buffer {
  const message = Buffer.concat([
    int32(thrift.version + thrift.call),
    text(method),
    int32(0),
    Buffer.from([thrift.string, 0, 1]),
    text(topology),
    Buffer.from([thrift.stop]),
  ]);
  return Buffer.concat([int32(message.length), message]);
}

/** What the frame says that answers the call; undefined if it is an error. */
export function nameAllowed(frame: Buffer): boolean | undefined {
  const head = 4 + 4 + 4 + method.length + 4;
  if (frame.length < head + 4 || frame.readUInt32BE(4) !== thrift.version + thrift.reply) return undefined;
  // The field without a number is the result; others are exceptions.
  if (frame.readUInt8(head) !== thrift.bool || frame.readUInt16BE(head + 1) !== 0) return undefined;
  return frame.readUInt8(head + 3) === 1;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

function text(value: string): Buffer {
  return Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]);
}

/** The frame that answers the request; without one, whether there is a connection at all. */
function call(server: { host: string; port: number }, request?: Buffer): Promise<Buffer | "connected" | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...server, timeout: answerLimit });
    let received = Buffer.alloc(0);
    const end = (answer: Buffer | "connected" | undefined) => {
      socket.destroy();
      resolve(answer);
    };
    socket
      .on("connect", () => (request === undefined ? end("connected") : socket.write(request)))
      .on("data", (part) => {
        received = Buffer.concat([received, part]);
        if (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) end(received);
      })
      .on("error", () => end(undefined))
      .on("close", () => end(undefined))
      .on("timeout", () => end(undefined));
  });
}
