import { spawn } from "node:child_process";
import { get } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { Readiness } from "../../target.ts";

/** Seconds that one probe may take. */
const probeLimit = 5;

/**
 * Whether a server is ready now.
 *
 * @param address the instance's address
 * @param environment the environment of a probe that is a command
 * @returns undefined if it is, else what it is not, e.g. `127.9.8.7:2181 refuses connections`
 */
export async function probe(
  readiness: Readiness,
  address: string,
  environment: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  switch (readiness.kind) {
    case "tcp":
      return probeTcp(address, readiness);
    case "http":
      return probeHttp(readiness.address ?? address, readiness);
    case "command":
      return probeCommand(readiness.command, environment);
  }
}

/** What a person is told that a probe waits for. */
export function describeReadiness(readiness: Readiness, address: string): string {
  switch (readiness.kind) {
    case "tcp":
      return `${address}:${readiness.port} to answer`;
    case "http":
      return `http://${readiness.address ?? address}:${readiness.port}${readiness.path} to answer`;
    case "command":
      return `${readiness.command.join(" ")} to succeed`;
  }
}

function probeTcp(address: string, { port, send, expect }: Readiness & { kind: "tcp" }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const name = `${address}:${port}`;
    let received = "";
    const socket = connect({ host: address, port });
    const finish = (problem: string | undefined) => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(probeLimit * 1000, () => finish(`${name} does not answer`));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      finish(error.code === "ECONNREFUSED" ? `${name} refuses connections` : `${name}: ${error.message}`),
    );
    socket.once("connect", () => {
      if (send !== undefined) socket.write(send);
      if (expect === undefined) finish(undefined);
    });
    socket.setEncoding("utf8").on("data", (part: string) => {
      received += part;
      if (expect !== undefined && new RegExp(expect).test(received)) finish(undefined);
    });
    socket.once("end", () => finish(`${name} answers ${quote(received)} instead of /${expect}/`));
  });
}

/** Not with fetch: that refuses some ports which a server may have. */
function probeHttp(address: string, { port, path, expect }: Readiness & { kind: "http" }): Promise<string | undefined> {
  const url = `http://${address}:${port}${path}`;
  return new Promise((resolve) => {
    const fail = (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ECONNREFUSED" ? `${address}:${port} refuses connections` : `${url}: ${error.message}`);
    const options = { host: address, port, path, agent: false, signal: AbortSignal.timeout(probeLimit * 1000) };
    const request = get(options, async (response) => {
      const status = response.statusCode ?? 0;
      try {
        const body = await text(response);
        if (status < 200 || status > 299) resolve(`${url} answers ${status} ${quote(body)}`);
        else if (expect !== undefined && !new RegExp(expect).test(body))
          resolve(`${url} answers ${quote(body)} instead of /${expect}/`);
        else resolve(undefined);
      } catch (error) {
        fail(error as Error);
      }
    });
    request.once("error", fail);
  });
}

function probeCommand(
  [program, ...args]: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(program as string, args, { env: environment, stdio: "ignore", timeout: 6 * probeLimit * 1000 });
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) =>
      resolve(code === 0 ? undefined : `${program} ended with ${code === null ? signal : `exit code ${code}`}`),
    );
  });
}

function quote(answer: string): string {
  return JSON.stringify(answer.length > 200 ? `${answer.slice(0, 199)}…` : answer);
}
