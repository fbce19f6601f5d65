import { fileURLToPath } from "node:url";
import { beforeEach, expect, test } from "vitest";
import type { ServiceArgs } from "../../../../components/target.ts";
import {
  createDockerTarget,
  type DockerTargetArgs,
  type Surroundings,
} from "../../../../components/targets/docker/index.ts";
import { type RecordedResource, RecordedResources } from "../../../support/recorded-resources.ts";

/** A program that is bundled at once. */
const program = fileURLToPath(new URL("../../../../jobs/chunks.ts", import.meta.url));
const recorded = new RecordedResources();
beforeEach(() => recorded.start());

/** A machine that has room for one server. */
const small: Surroundings = {
  free: async () => ({ cores: 1, memory: 500, disk: undefined }),
  given: async () => new Map(),
  permanent: async () => ({}),
  say: (message) => said.push(message),
};
const said: string[] = [];
const targetOf = (args: Partial<DockerTargetArgs> = {}) =>
  createDockerTarget({ project: "p", stack: "s", folder: "/state", surroundings: small, ...args });

/** A server of one distribution, as components ask for it. */
function server(target = targetOf(), over: Partial<ServiceArgs> = {}): ServiceArgs {
  const identity = { component: "kafka", role: "broker", index: 1 };
  const { address } = target.placement(identity);
  return {
    identity,
    command: [target.java, "kafka.Kafka", address],
    distributions: [{ name: "kafka", parts: {} }],
    ports: { client: 9092, external: 9094 },
    readiness: { kind: "tcp", port: 9092 },
    memory: 416,
    cpu: 0.25,
    ...over,
  };
}

async function resource(type: string, name: string): Promise<RecordedResource> {
  const found = (await recorded.list()).find((each) => each.type === type && each.name === name);
  if (found === undefined) throw new Error(`there is no ${type} ${name}`);
  return found;
}
const container = (name: string) => resource("docker:index/container:Container", name);

test("a server is a container without rights, of the image of its distribution", async () => {
  const target = targetOf();
  target.services({ replicas: [server(target)] }, {});
  const { inputs } = await container("kafka-broker-1");
  expect(inputs).toMatchObject({
    name: "p-s-kafka-broker-1",
    hostname: "kafka-broker-1",
    command: ["/opt/lambda/java/bin/java", "kafka.Kafka", "kafka-broker-1"],
    readOnly: true,
    capabilities: { drops: ["ALL"] },
    securityOpts: ["no-new-privileges:true"],
    memory: 416,
    memorySwap: 416,
    restart: "unless-stopped",
    ports: [],
    networksAdvanced: [{ name: "p-s", aliases: ["kafka-broker-1"] }],
  });
  expect(inputs.image).toMatch(/^lambda-architecture\/kafka:[0-9a-f]{12}$/);
  expect(inputs.networkMode).toBeUndefined();
});

test("what all servers take is told before the first one is made", async () => {
  said.length = 0;
  const target = targetOf();
  for (const index of [0, 1])
    target.services({ replicas: [server(target, { identity: { component: "kafka", role: "broker", index } })] }, {});
  await resource("docker:index/container:Container", "kafka-broker-1");
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/kafka +broker +2 +0 +0.5 +832 +832 +0 +9092 9094/);
});

test("who depends on a server waits until it is ready", async () => {
  const target = targetOf();
  const [ready] = target.services({ replicas: [server(target)] }, {});
  target.services(
    { replicas: [server(target, { identity: { component: "k", role: "after" } })] },
    { dependsOn: ready },
  );
  expect((await resource("local:index:Task", "kafka-broker-1-ready")).dependsOn).toContain("kafka-broker-1");
  expect((await container("k-after")).dependsOn).toEqual(["kafka-broker-1-ready", "kafka-image", "network"]);
});

test("ordered servers wait for the one before", async () => {
  const target = targetOf();
  const replicas = [0, 1].map((index) => server(target, { identity: { component: "c", role: "node", index } }));
  target.services({ replicas, ordered: true }, {});
  expect((await container("c-node-1")).dependsOn).toContain("c-node-0-ready");
  expect((await container("c-node-0")).dependsOn).not.toContain("c-node-1-ready");
});

test("data is in a volume that outlives its container; without state it goes with it", async () => {
  const target = targetOf();
  target.services({ replicas: [server(target, { stateful: true })] }, {});
  expect((await container("kafka-broker-1")).inputs.volumes).toContainEqual({
    containerPath: "/lambda/data",
    volumeName: "p-s-kafka-broker-1-data",
  });
  await recorded.start();
  targetOf().services({ replicas: [server()] }, {});
  expect((await container("kafka-broker-1")).inputs.volumes).toContainEqual({ containerPath: "/lambda/data" });
});

test("only what a component publishes is reached, on 127.0.0.1", async () => {
  const target = targetOf({ portOffset: 20_000 });
  expect(target.published({ component: "kafka", role: "broker", index: 1 }, 9094)).toBe("127.0.0.1:29095");
  target.services({ replicas: [server(target, { publishes: ["external"] })] }, {});
  expect((await container("kafka-broker-1")).inputs.ports).toEqual([
    { internal: 9094, external: 29_095, ip: "127.0.0.1" },
  ]);
});

test("a port that two instances would publish, and one that is none, are errors", () => {
  const target = targetOf();
  target.published({ component: "a", role: "server" }, 8080);
  expect(() => target.published({ component: "b", role: "server" }, 8080)).toThrow(
    "a-server and b-server would both be published at 127.0.0.1:18080",
  );
  expect(() => target.services({ replicas: [server(target, { publishes: ["http"] })] }, {})).toThrow(
    "kafka-broker-1: publishes names http, which is none of its ports",
  );
});

test("what has no image is an error", () => {
  expect(() => targetOf().services({ replicas: [server(targetOf(), { distributions: [] })] }, {})).toThrow(
    "neither is its command a program in Node nor does it name a distribution",
  );
});

test("a preparation runs before each start, in the container's one process", async () => {
  const target = targetOf();
  target.services({ replicas: [server(target, { prepare: ["cp", "a b", "c"] })] }, {});
  expect((await container("kafka-broker-1")).inputs.command).toEqual([
    "/bin/sh",
    "-c",
    "'cp' 'a b' 'c' && exec '/opt/lambda/java/bin/java' 'kafka.Kafka' 'kafka-broker-1'",
  ]);
});

test("the readiness is the health check, and what is waited for", async () => {
  const target = targetOf();
  target.services({ replicas: [server(target, { readinessTimeout: 90 })] }, {});
  const { tests, startPeriod } = (await container("kafka-broker-1")).inputs.healthcheck as {
    tests: string[];
    startPeriod: string;
  };
  expect([tests[0], ...tests.slice(-2), startPeriod]).toEqual(["CMD", "kafka-broker-1", "9092", "1m30s"]);
  const { command, timeout } = (await resource("local:index:Task", "kafka-broker-1-ready")).inputs as {
    command: string[];
    timeout: number;
  };
  expect(command.slice(command.indexOf("--timeout"))).toEqual(["--timeout", "90", "--", ...tests.slice(1)]);
  expect(timeout).toBeGreaterThan(90);
});

test("a server that was stopped by hand is seen and started again; what a task did is not looked at", async () => {
  const target = targetOf({ host: "tcp://10.0.0.1:2376" });
  target.services({ replicas: [server(target)] }, {});
  target.task(
    { identity: { component: "kafka", role: "topics" }, command: [target.node, target.program(program)] },
    {},
  );
  const checkOf = async (name: string) => (await resource("local:index:Task", name)).inputs.checkCommand;
  expect(await checkOf("kafka-broker-1-ready")).toEqual([
    ...["docker", "--host", "tcp://10.0.0.1:2376"],
    ...["exec", "p-s-kafka-broker-1", "true"],
  ]);
  expect(await checkOf("kafka-topics")).toEqual([]);
});

test("other files are another container, whose secrets are nowhere but in what is sent", async () => {
  const digestOf = async (content: string) => {
    await recorded.start();
    targetOf().services({ replicas: [server(targetOf(), { files: { "key.txt": { content, secret: true } } })] }, {});
    const { inputs } = await container("kafka-broker-1");
    expect(JSON.stringify(inputs)).not.toContain(content);
    return (inputs.envs as string[]).find((each) => each.startsWith("LAMBDA_FILES="));
  };
  expect(await digestOf("one secret")).not.toBe(await digestOf("another secret"));
});

test("a task is a container that is started once, and one that takes it back", async () => {
  const target = targetOf();
  const identity = { component: "topology", role: "submission" };
  const command = [target.node, target.program(program)];
  target.task({ identity, command, deleteCommand: [...command, "--kill"], timeout: 7, retries: 2 }, {});
  const run = await container("topology-submission-run");
  expect(run.inputs).toMatchObject({ command, restart: "no", mustRun: false, start: false });
  expect(run.inputs.image).toMatch(/^lambda-architecture\/jobs:/);
  expect((await container("topology-submission-delete")).inputs.command).toEqual([...command, "--kill"]);
  const { inputs, dependsOn } = await resource("local:index:Task", "topology-submission");
  expect(inputs).toMatchObject({ timeout: 7, retries: 2, triggers: ["topology-submission-run"] });
  expect(dependsOn).toEqual(["topology-submission-delete", "topology-submission-run"]);
});

test("other code is another image of the jobs, known in a preview", async () => {
  const target = targetOf();
  const path = target.program(program);
  expect(path).toMatch(/^\/opt\/lambda\/programs\/chunks-[0-9a-f]{12}\.mjs$/);
  target.task({ identity: { component: "kafka", role: "topics" }, command: [target.node, path] }, {});
  const { inputs } = await resource("local:index:Image", "jobs-image");
  expect((inputs.content as { programs: string[] }).programs.map((file) => file.split("/").at(-1))).toEqual([
    path.split("/").at(-1),
  ]);
});

test("a schedule is a server that starts the command at its times", async () => {
  const target = targetOf();
  const identity = { component: "lambda", role: "batch" };
  target.schedule({ identity, cron: "0 * * * *", command: ["run", "it"], memory: 100, cpu: 0.1 }, {});
  const { inputs } = await container("lambda-batch");
  expect((inputs.command as string[]).slice(-5)).toEqual(["--ready", "/lambda/temporary/ready", "--", "run", "it"]);
  expect(inputs.memory).toBe(160);
  expect(target.commandIn(identity, ["run", "it"])).toEqual(["docker", "exec", "p-s-lambda-batch", "run", "it"]);
});

test("another daemon is meant everywhere", async () => {
  const target = targetOf({ host: "tcp://10.0.0.1:2376" });
  target.services({ replicas: [server(target)] }, {});
  expect((await resource("pulumi:providers:docker", "docker")).inputs).toMatchObject({ host: "tcp://10.0.0.1:2376" });
  expect((await resource("local:index:Task", "kafka-broker-1-ready")).inputs.environment).toEqual({
    DOCKER_HOST: "tcp://10.0.0.1:2376",
  });
  expect(target.commandIn({ component: "a", role: "b" }, ["c"]).slice(0, 3)).toEqual([
    "docker",
    "--host",
    "tcp://10.0.0.1:2376",
  ]);
});
