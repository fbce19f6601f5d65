/** The npm package: packed, installed into a project of someone else, and used there with the real CLI. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instances, stopStack } from "../components/targets/local/index.ts";
import { ensureStack, runPulumi } from "../scripts/environment.ts";
import { takeDown } from "../scripts/take-down.ts";

const checkout = fileURLToPath(new URL("..", import.meta.url));
/** Somebody's project. */
const project = mkdtempSync(join(tmpdir(), "some-project-"));
const installed = join(project, "node_modules", "lambda-architecture");
const serversFolder = join(project, ".lambda", "stacks", "dev");

const target = `createLocalTarget({
  project: pulumi.getProject(),
  stack: pulumi.getStack(),
  folder: join(import.meta.dirname, ".lambda", "stacks", pulumi.getStack()),
})`;

const files = {
  "package.json": JSON.stringify({ name: "some-project", private: true, type: "module" }),
  "Pulumi.yaml": `
name: some-project
runtime: { name: nodejs, options: { typescript: false } }
main: index.ts
plugins:
  providers:
    - { name: local, path: ./node_modules/lambda-architecture/dist/components/targets/local }
`,
  "kafka.ts": `
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { createLocalTarget, KafkaCluster } from "lambda-architecture";

const kafka = new KafkaCluster("kafka", { target: ${target}, topics: [{ name: "orders", partitions: 3 }] });
export const bootstrapServers: pulumi.Output<string[]> = kafka.bootstrapServers;
`,
  "wrong.ts": `
import { KafkaCluster } from "lambda-architecture";

// @ts-expect-error The package's types are there, and hold.
new KafkaCluster("kafka", { replicas: "three" });
`,
  "architecture.ts": `
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { createLocalTarget, LambdaArchitecture, loadApplication } from "lambda-architecture";

const architecture = new LambdaArchitecture("shop", {
  target: ${target},
  application: await loadApplication(join(import.meta.dirname, "application.ts")),
  topic: "orders",
});
export const queryUrl: pulumi.Output<string> = architecture.queryUrl;
`,
  "application.ts": `
import { application } from "lambda-architecture/jobs";
import { order } from "./order.ts";
import { ordersByShop } from "./orders-by-shop.ts";

export default application({ event: order, views: [ordersByShop] });
`,
  "order.ts": `
import * as z from "zod";

export const order = z.object({ time: z.iso.datetime(), shop: z.string(), price: z.number() });
export type Order = z.infer<typeof order>;
`,
  "orders-by-shop.ts": `
import { count, sum, view } from "lambda-architecture";
import type { Order } from "./order.ts";

export const ordersByShop = view<Order>({
  name: "orders-by-shop",
  time: (order) => order.time,
  granularity: "hour",
  key: { shop: (order) => order.shop },
  measures: { orders: count(), revenue: sum((order) => order.price, { scale: 2 }) },
});
`,
};

/** Runs a program to its end. @throws {Error} with its output if it fails */
async function run(folder: string, program: string, ...args: readonly string[]): Promise<string> {
  const environment = {
    // What npm told the program that runs this test is not meant for another project.
    ...Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^npm_(lifecycle|package|config_local)/.test(name)),
    ),
    PULUMI_BACKEND_URL: `file://${join(project, "backend")}`,
    PULUMI_HOME: join(project, "home"),
    PULUMI_CONFIG_PASSPHRASE: "some passphrase",
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
  const { stdout } = await promisify(execFile)(program, args, {
    cwd: folder,
    env: environment,
    maxBuffer: 64 * 1024 * 1024,
  }).catch((error: Error & { stdout: string; stderr: string }) => {
    throw new Error(`${program} ${args.join(" ")} failed:\n${error.stdout}\n${error.stderr}`);
  });
  return stdout;
}

/** Runs the Pulumi CLI with one of the programs. */
async function pulumi(program: "kafka" | "architecture", ...args: readonly string[]): Promise<string> {
  writeFileSync(join(project, "index.ts"), `export * from "./${program}.ts";\n`);
  return await run(project, "pulumi", ...args, "--stack", "dev", "--non-interactive", "--color", "never");
}

beforeAll(async () => {
  for (const [name, content] of Object.entries(files)) writeFileSync(join(project, name), content);
  mkdirSync(join(project, "backend"));
  await run(checkout, "npm", "pack", "--pack-destination", project);
  const tarball = readdirSync(project).find((name) => name.endsWith(".tgz")) as string;
  expect(statSync(join(project, tarball)).size).toBeLessThan(500_000);
  // No dependency needs its install script.
  await run(project, "npm", "install", "--prefix", project, "--prefer-offline", "--ignore-scripts", `./${tarball}`);
  await run(project, "pulumi", "stack", "init", "dev");
});

afterAll(async () => {
  await stopStack(serversFolder, 1);
  rmSync(project, { recursive: true, force: true });
});

test("the package has JavaScript, types and what the components read, and no TypeScript", () => {
  const all = readdirSync(installed, { recursive: true, encoding: "utf8" });
  expect(all.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([]);
  expect(all).toEqual(
    expect.arrayContaining([
      "LICENSE",
      "README.md",
      "dist/components/bind-agent/distribution/src/main/java/lambda/architecture/bind/BindAgent.java",
      "dist/components/index.d.ts",
      "dist/components/kafka/distribution/pom.xml",
      "dist/components/targets/local/supervisor.sh",
      "dist/jobs/index.js",
    ]),
  );
  expect(all.filter((file) => /^(test|scripts|stacks|node_modules)\b/.test(file))).toEqual([]);
});

test("there is one Pulumi and one zod, the project's own", () => {
  const nested = readdirSync(join(project, "node_modules"), { recursive: true, encoding: "utf8" });
  const packages = nested.filter((path) =>
    /(^|\/)node_modules\/(@pulumi\/pulumi|zod)\/package\.json$/.test(`node_modules/${path}`),
  );
  expect(packages.sort()).toEqual(["@pulumi/pulumi/package.json", "zod/package.json"]);
});

test("programs that use it pass the type check", async () => {
  const programs = Object.keys(files).filter((name) => name.endsWith(".ts"));
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--allowImportingTsExtensions"];
  const platform = ["--module", "nodenext", "--target", "es2024", "--types", "node"];
  await run(project, join(checkout, "node_modules", ".bin", "tsc"), ...options, ...platform, ...programs);
});

test("one component alone is previewed, started and destroyed", async () => {
  expect(await pulumi("kafka", "preview")).toMatch(/lambda-architecture:index:KafkaCluster/);
  await pulumi("kafka", "up", "--yes", "--skip-preview");
  expect(JSON.parse(await pulumi("kafka", "stack", "output", "--json"))).toEqual({
    bootstrapServers: [expect.stringMatching(/^127\.\d+\.\d+\.\d+:9092$/)],
  });
  await pulumi("kafka", "preview", "--expect-no-changes");
  await pulumi("kafka", "destroy", "--yes", "--skip-preview");
  expect(await instances(serversFolder)).toEqual([]);
});

test("the whole architecture is previewed with a view of the project's own", async () => {
  const { steps } = JSON.parse(await pulumi("architecture", "preview", "--json")) as {
    steps: { urn: string; newState?: { inputs?: Record<string, unknown> } }[];
  };
  const inputs = new Map(steps.map(({ urn, newState }) => [urn.split("::").at(-1), newState?.inputs ?? {}]));
  expect(inputs.get("shop")).toMatchObject({ views: { "orders-by-shop": expect.stringMatching(/^[0-9a-f]{8}$/) } });
  expect(inputs.get("shop-serving")).toMatchObject({
    command: expect.arrayContaining([expect.stringMatching(/\/programs\/main-[0-9a-f]{12}\.mjs$/)]),
  });
  expect([...inputs.keys()]).toEqual(
    expect.arrayContaining(["shop-kafka", "shop-hdfs", "shop-yarn", "shop-storm", "shop-cassandra", "shop-druid"]),
  );
});

test("with the package built in it, the checkout's own program is still the stack's", async () => {
  expect(existsSync(join(checkout, "dist", "components", "index.js"))).toBe(true);
  await ensureStack("test");
  try {
    const preview = await runPulumi(["preview", "--stack", "test", "--json"], { capture: true });
    expect(preview.exitCode, preview.stderr).toBe(0);
    expect(JSON.parse(preview.stdout).changeSummary.create).toBeGreaterThan(30);
  } finally {
    await takeDown("test");
  }
});
