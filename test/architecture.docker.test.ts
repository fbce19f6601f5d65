/*
 * The whole architecture in containers, as a person uses it: images of this project's own on a base of Debian's
 * packages, the demo on a Docker daemon of the test's own, and what is left of it.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureImage, imageLayers } from "../components/images/build.ts";
import { type RunningArchitecture, runCommand, runningArchitecture } from "../scripts/demo/architecture.ts";
import { check } from "../scripts/demo/check.ts";
import { Log } from "../scripts/demo/log.ts";
import { checkout, runPulumi } from "../scripts/environment.ts";
import { imagesOfStack, type StackImage } from "../scripts/images/stack-images.ts";
import { takeDown } from "../scripts/take-down.ts";
import { type DockerDaemon, startDocker } from "./support/docker-daemon.ts";

const stack = "docker-test";
const realEdits = join(checkout, "../shared/data/wikipedia-edits-2015-09-12.json.gz");
const hasRealEdits = existsSync(realEdits);
const events = 39_244;
const input = hasRealEdits ? ["--input", realEdits] : ["--events", String(events)];

/** The image of Pulumi.docker-test.yaml from which Kafka's servers run. */
const upstreamKafka = "upstream-kafka:1";

/** The images, and of each what its bill of materials has to list. */
const partOfImage = {
  cassandra: "pkg:maven/org.apache.cassandra/cassandra-all@",
  druid: "pkg:maven/org.apache.druid/druid-services@",
  hadoop: "pkg:maven/org.apache.hadoop/hadoop-hdfs@",
  jobs: "pkg:npm/fastify@",
  kafka: upstreamKafka,
  storm: "pkg:maven/org.apache.storm/flux-core@",
  zookeeper: "pkg:maven/org.apache.zookeeper/zookeeper@",
};

const started = await startDocker();
if (typeof started === "string") console.log(`No test of Docker: ${started}.`);

describe.skipIf(typeof started === "string")("the whole architecture on Docker", () => {
  const daemon = started as DockerDaemon;
  let architecture: RunningArchitecture;
  let log: Log;

  beforeAll(() => {
    process.env.DOCKER_HOST = daemon.host;
  });

  afterAll(async () => {
    await log?.close();
    await takeDown(stack);
    await daemon.stop();
  });

  test("an image with upstream's paths can be made, since no registry need be in reach", async () => {
    const own = (await imagesOfStack(stack, { dockerUpstreamImages: "" })).find(
      ({ content }) => content.name === "kafka",
    );
    const { content, reference, settings } = own as StackImage;
    await ensureImage(content, settings, reference, { dockerHost: daemon.host, onProgress: console.log });
    const moved =
      "mv /opt/lambda/java /opt/java/openjdk && mv /opt/lambda/kafka/lib /opt/kafka/libs && rm -r /opt/lambda";
    daemon.build(upstreamKafka, `FROM ${reference}\nUSER 0:0\nRUN mkdir -p /opt/java /opt/kafka && ${moved}\n`);
  });

  test("every image is built from the base or upstream's, runs as nobody of the host's, and has a bill of materials", async () => {
    const bills = mkdtempSync(join(tmpdir(), "lambda-architecture-bills-"));
    try {
      const images = [process.execPath, join(checkout, "scripts/images.ts"), "--stack", stack, "--sbom", bills];
      expect(await runCommand(images, console.log)).toBe(0);
      const references = daemon.docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split("\n");
      for (const [name, part] of Object.entries(partOfImage)) {
        const reference = references.find((each) => each.startsWith(`lambda-architecture/${name}:`)) ?? name;
        expect(daemon.docker("image", "inspect", "--format", "{{.Config.User}}", reference)).toBe("65532:65532");
        const bill = JSON.parse(readFileSync(join(bills, `${name}.cdx.json`), "utf8"));
        expect(bill).toMatchObject({ bomFormat: "CycloneDX", metadata: { component: { type: "container" } } });
        const components: { purl?: string; name: string }[] = bill.components;
        const parts = components.map(({ purl, name }) => purl ?? name);
        const ofBase = part === upstreamKafka ? [] : ["pkg:deb/debian/libc6@", "pkg:generic/openjdk@17"];
        for (const beginning of [...ofBase, part])
          expect(parts, `${name} has ${beginning}`).toContainEqual(expect.stringMatching(`^${beginning}`));
      }
    } finally {
      rmSync(bills, { recursive: true });
    }
  });

  test("built again, an image has the same layers", async () => {
    const images = await imagesOfStack(stack);
    const { content, reference, settings } = images.find((each) => each.content.name === "zookeeper") as StackImage;
    const options = { dockerHost: daemon.host };
    const before = await imageLayers(reference, options);
    await ensureImage(content, settings, reference, { ...options, again: true });
    expect(await imageLayers(reference, options)).toEqual(before);
  });

  test(`the demo is exact on ${hasRealEdits ? "real" : "generated (there are no real ones here)"} edits`, async () => {
    const output: string[] = [];
    const demo = [process.execPath, join(checkout, "scripts/demo.ts"), "--target", "docker", "--stack", stack];
    const exitCode = await runCommand([...demo, ...input], (line) => {
      output.push(line);
      console.log(line);
    });
    expect(exitCode, output.slice(-30).join("\n")).toBe(0);
    expect(output.join("\n")).toMatch(/^exact: [\d,]+ answers over 39,244 events, 0 differ$/m);
    architecture = await runningArchitecture(stack);
    log = new Log(architecture);
  });

  test("a second up changes nothing", async () => {
    const { exitCode, stdout } = await runPulumi(
      ["up", "--yes", "--skip-preview", "--expect-no-changes", "--stack", stack],
      { capture: true },
    );
    expect(exitCode, stdout).toBe(0);
  });

  test("nothing is published but what people need, on 127.0.0.1", () => {
    const ports = daemon.docker("ps", "--format", "{{.Ports}}").split("\n").join(", ").split(", ");
    const published = ports.filter((port) => port.includes("->"));
    expect(published.sort()).toEqual(["127.0.0.1:38080->8080/tcp", "127.0.0.1:39094->9094/tcp"]);
  });

  test("no container is root, has rights or a root file system to write to", () => {
    const ids = daemon.docker("ps", "--quiet").split("\n");
    const format = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.Privileged}}";
    const found = daemon.docker("inspect", "--format", format, ...ids).split("\n");
    expect(new Set(found)).toEqual(new Set(["65532:65532 true [ALL] false"]));
  });

  test.each(["lambda-cassandra-node-0", "lambda-kafka-broker-0", "lambda-serving"])(
    "killed, %s comes back, and every answer is exact",
    async (instance) => {
      const container = `lambda-architecture-${stack}-${instance}`;
      daemon.docker("exec", container, "/bin/sh", "-c", "kill -9 -1 || true");
      for (const deadline = Date.now() + 120_000; ; await sleep(1_000)) {
        const state = daemon.docker("inspect", "--format", "{{.State.Health.Status}} {{.RestartCount}}", container);
        if (/^healthy [1-9]/.test(state)) break;
        if (Date.now() > deadline) throw new Error(`${instance} did not come back: ${state}`);
      }
      const result = await check(architecture, log, { queries: 200, settled: true });
      expect(result).toMatchObject({ differing: 0, events });
    },
  );

  test("destroyed, no container, network or volume is left", async () => {
    await log.close();
    expect(await takeDown(stack)).toBe(0);
    const own = ["--filter", "label=lambda-architecture.stack"];
    expect(daemon.docker("ps", "--all", "--quiet")).toBe("");
    expect(daemon.docker("volume", "ls", "--quiet")).toBe("");
    expect(daemon.docker("network", "ls", "--quiet", ...own)).toBe("");
  });
});
