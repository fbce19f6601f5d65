/**
 * Storm's multilang protocol: how a worker talks to a spout or bolt that is a process of its own. Messages are JSON on
 * standard input and output, each followed by a line `end`. Nothing else may be written to standard output.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** A value that the protocol can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** The levels of a worker's log. */
export const logLevels = { debug: 1, info: 2, warn: 3, error: 4 } as const;
export type LogLevel = keyof typeof logLevels;

/** What spouts and bolts can say beside their work. */
export interface Reporter {
  /** Writes a line to the worker's log. */
  log(level: LogLevel, message: string): void;
  /** Writes an error to the worker's log and to the topology's errors, which Nimbus shows. */
  error(message: string): void;
}

/** A spout: asked again and again for tuples, told what became of them. One call at a time. */
export interface Spout {
  /** Emits what there is. If there is nothing, it should take a few milliseconds before it returns. */
  next(emit: (id: string, tuple: readonly Json[]) => void): Promise<void>;
  /** The tuple was worked off. */
  ack(id: string): void;
  /** The tuple failed, or was not worked off in time. */
  fail(id: string): void;
}

/** A bolt that emits nothing. */
export interface Bolt {
  /** Works a tuple off: acknowledged when the promise is fulfilled, failed when it is rejected. Calls overlap. */
  execute(tuple: readonly Json[]): Promise<void>;
}

/** Serves a spout until the input ends. `make` is called after the handshake; the work must not need it to be quick. */
export async function runSpout(
  make: (reporter: Reporter) => Spout,
  input: Readable = process.stdin,
  output: Writable = process.stdout,
): Promise<void> {
  const channel = new Channel(input, output);
  const messages = channel.messages();
  if (!(await channel.handshake(messages))) return;
  const spout = make(channel);
  for await (const message of messages) {
    try {
      if (message.command === "next") {
        await spout.next((id, tuple) => channel.send({ command: "emit", id, tuple, need_task_ids: false }));
      } else if (message.command === "ack") spout.ack(String(message.id));
      else if (message.command === "fail") spout.fail(String(message.id));
    } catch (error) {
      channel.error(textOf(error));
    }
    channel.send({ command: "sync" });
  }
}

/** Serves a bolt until the input ends. `make` is called after the handshake. */
export async function runBolt(
  make: (reporter: Reporter) => Bolt,
  input: Readable = process.stdin,
  output: Writable = process.stdout,
): Promise<void> {
  const channel = new Channel(input, output);
  const messages = channel.messages();
  if (!(await channel.handshake(messages))) return;
  const bolt = make(channel);
  const execute = async (id: string, tuple: readonly Json[]) => {
    try {
      await bolt.execute(tuple);
      channel.send({ command: "ack", id });
    } catch (error) {
      channel.error(textOf(error));
      channel.send({ command: "fail", id });
    }
  };
  for await (const message of messages) {
    // Whoever does not answer a heartbeat in time is killed, with the whole worker.
    if (message.stream === "__heartbeat") channel.send({ command: "sync" });
    else if (message.stream === "__tick") channel.send({ command: "ack", id: message.id ?? null });
    else if (Array.isArray(message.tuple)) void execute(String(message.id), message.tuple);
  }
}

/** Sends what is printed with `console` to the worker's log, since standard output belongs to the protocol. */
export function redirectConsole(reporter: Reporter): void {
  const line = (values: unknown[]) =>
    values.map((value) => (typeof value === "string" ? value : textOf(value))).join(" ");
  for (const level of ["debug", "info", "warn", "error"] as const)
    console[level] = (...values: unknown[]) => reporter.log(level, line(values));
  console.log = console.info;
}

type Message = { readonly [name: string]: Json | undefined };

/** The two streams. */
class Channel implements Reporter {
  readonly #input: Readable;
  readonly #output: Writable;

  constructor(input: Readable, output: Writable) {
    this.#input = input;
    this.#output = output;
    // A worker that died leaves a broken pipe; the input's end says the same and is handled.
    output.on("error", () => {});
  }

  /** The messages, to the input's end. */
  async *messages(): AsyncGenerator<Message, void, undefined> {
    this.#input.setEncoding("utf8");
    let rest = "";
    for await (const text of this.#input) {
      const parts = (rest + text).split("\nend\n");
      rest = parts.pop() ?? "";
      for (const part of parts) {
        const message = JSON.parse(part);
        // Lists are the tasks that a tuple went to, for which nobody asked.
        if (!Array.isArray(message)) yield message;
      }
    }
  }

  /** Answers the first message, which names the folder for an empty file named by the process. False: input ended. */
  async handshake(messages: AsyncGenerator<Message, void, undefined>): Promise<boolean> {
    const first = await messages.next();
    if (first.done) return false;
    writeFileSync(join(String(first.value.pidDir), String(process.pid)), "");
    this.send({ pid: process.pid });
    return true;
  }

  send(message: { readonly [name: string]: Json }): void {
    this.#output.write(`${JSON.stringify(message)}\nend\n`);
  }

  log(level: LogLevel, message: string): void {
    this.send({ command: "log", msg: message, level: logLevels[level] });
  }

  error(message: string): void {
    this.send({ command: "error", msg: message });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
