/*
 * The policy pack as the official CLI runs it: `@pulumi/pulumi`'s own loader serves it, and is asked over gRPC. The CLI that
 * is built here cannot do that itself (its language host knows no plugins).
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { checkout } from "../../../scripts/environment.ts";
import { policies } from "../../../stacks/policies/policies.ts";

// What @pulumi/policy itself speaks to the engine by.
const require = createRequire(join(checkout, "node_modules/@pulumi/policy/package.json"));
const grpc = require("@grpc/grpc-js");
const { AnalyzeRequest, AnalyzerResourceOptions } = require("@pulumi/pulumi/proto/analyzer_pb");
const { AnalyzerClient } = require("@pulumi/pulumi/proto/analyzer_grpc_pb");
const { Empty } = require("google-protobuf/google/protobuf/empty_pb");
const { Struct } = require("google-protobuf/google/protobuf/struct_pb");

// biome-ignore lint/suspicious/noExplicitAny: the messages are of generated JavaScript
type Message = any;

test("the pack is served with all its policies, and finds what is wrong", async () => {
  const loader = join(checkout, "node_modules/@pulumi/pulumi/cmd/run-policy-pack");
  const server = spawn(process.execPath, [loader, "127.0.0.1:1", "."], {
    cwd: join(checkout, "stacks/policies"),
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [port] = await once(createInterface(server.stdout), "line", { signal: AbortSignal.timeout(120_000) });
    const client = new AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    const ask = (method: string, request: Message) =>
      new Promise<Message>((resolve, reject) => {
        client[method](request, (error: Error | null, answer: Message) =>
          error === null ? resolve(answer.toObject()) : reject(error),
        );
      });
    const { policiesList } = await ask("getAnalyzerInfo", new Empty());
    expect(policiesList.map(({ name }: { name: string }) => name)).toEqual(policies.map(({ name }) => name));

    const request = new AnalyzeRequest();
    request.setType("kubernetes:core/v1:Pod");
    request.setName("open");
    request.setUrn("urn:pulumi:prod::lambda-architecture::kubernetes:core/v1:Pod::open");
    request.setOptions(new AnalyzerResourceOptions());
    request.setProperties(
      Struct.fromJavaScript({ spec: { hostNetwork: true, containers: [{ name: "main", image: "kafka" }] } }),
    );
    const { diagnosticsList } = await ask("analyze", request);
    expect(diagnosticsList.map((each: { policyname: string }) => each.policyname).sort()).toEqual([
      "no-host-network",
      "no-privileged-container",
      "no-unpinned-image",
      "resources-set",
    ]);
    client.close();
  } finally {
    server.kill("SIGKILL");
  }
});
