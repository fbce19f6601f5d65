/*
 * The whole architecture on a real Kubernetes control plane, by the real Pulumi CLI and its real plugin. The nodes alone
 * are simulated: pods are admitted, scheduled and rolled, and count as ready without running anything.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { controlPlaneProblem } from "../../../../scripts/toolchain/control-plane.ts";
import { ensureProviderPlugin } from "../../../../scripts/toolchain/provider-plugins.ts";
import { ControlPlane, type KubernetesObject } from "../../../support/control-plane.ts";
import { mayCall } from "../../../support/network-policies.ts";
import { WholeProject } from "./project/project.ts";

const problem = controlPlaneProblem();
/** Milliseconds that building everything from source may take on a machine that has none of it. */
const buildLimit = 45 * 60_000;

describe.skipIf(problem !== undefined)(`the whole architecture on Kubernetes${problem ? ` (${problem})` : ""}`, () => {
  let cluster: ControlPlane;
  let project: WholeProject;

  beforeAll(async () => {
    await ensureProviderPlugin("kubernetes");
    cluster = await ControlPlane.start();
    project = new WholeProject();
  }, buildLimit);

  afterAll(async () => {
    project?.remove();
    await cluster?.stop();
  });

  const namespaceOf = (stack: string) => `whole-${stack}`;
  const list = (stack: string, group: string, kind: string) =>
    cluster.list(`/${group}/namespaces/${namespaceOf(stack)}/${kind}`);
  const pods = (stack: string) => list(stack, "api/v1", "pods");
  const claims = (stack: string) => list(stack, "api/v1", "persistentvolumeclaims");
  const statefulSets = (stack: string) => list(stack, "apis/apps/v1", "statefulsets");
  const labelOf = (pod: KubernetesObject, name: string) => pod.metadata.labels[`app.kubernetes.io/${name}`];
  /** The role, without the hash of what a topology or a view is made of. */
  const roleOf = (pod: KubernetesObject) =>
    `${labelOf(pod, "name")}-${labelOf(pod, "component")}`.replace(/-[0-9a-f]{8}(?=-|$)/, "");
  const names = (objects: readonly KubernetesObject[]) => objects.map(({ metadata }) => metadata.name).sort();

  async function up(stack: string, plan: Omit<Parameters<WholeProject["plan"]>[0], "kubeconfig">): Promise<string> {
    project.plan({ kubeconfig: cluster.kubeconfig, ...plan });
    return await project.pulumi("up", "--yes", "--skip-preview", "--stack", stack);
  }

  /** Fails if there is anything to do. */
  async function expectNoChanges(stack: string): Promise<void> {
    await project.pulumi("preview", "--diff", "--expect-no-changes", "--stack", stack);
  }

  test("comes up, every pod ready, and a second `up` has nothing to do", async () => {
    await project.pulumi("stack", "init", "tiny", "--no-select");
    const output = await up("tiny", { size: "tiny" });
    // Admission would tell here of what it lets pass but should not be; that a pod is not ready at once is all right.
    expect(output).not.toMatch(/would violate|warning: (?!\[MinimumReplicasUnavailable\])/i);
    const all = await pods("tiny");
    const servers = all.filter(({ metadata }) => metadata.ownerReferences[0].kind !== "Job");
    expect([...new Set(servers.map(roleOf))].sort()).toEqual([
      "lambda-archiver",
      "lambda-cassandra-node",
      ...["broker", "coordinator", "historical", "indexer"].map((role) => `lambda-druid-${role}`),
      ...["datanode", "namenode"].map((role) => `lambda-hdfs-${role}`),
      "lambda-kafka-broker",
      "lambda-serving",
      "lambda-speed-submission",
      ...["nimbus", "supervisor"].map((role) => `lambda-storm-${role}`),
      ...["edits-by-channel", "edits-by-page"].map((view) => `lambda-view-${view}`),
      ...["historyserver", "nodemanager", "resourcemanager"].map((role) => `lambda-yarn-${role}`),
      "lambda-zookeeper-server",
    ]);
    for (const pod of servers) {
      const ready = pod.status.conditions.find(({ type }: KubernetesObject) => type === "Ready");
      expect([pod.metadata.name, ready?.status]).toEqual([pod.metadata.name, "True"]);
    }
    const jobs = await list("tiny", "apis/batch/v1", "jobs");
    for (const job of jobs) expect([job.metadata.name, job.status.succeeded]).toEqual([job.metadata.name, 1]);
    expect(jobs.length).toBeGreaterThan(0);
    await expectNoChanges("tiny");
  });

  test("has a namespace that refuses a pod with more rights", async () => {
    const pod = (securityContext: object) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "stranger" },
      spec: { containers: [{ name: "stranger", image: "example/stranger:1", securityContext }] },
    });
    const path = `/api/v1/namespaces/${namespaceOf("tiny")}/pods?dryRun=All`;
    await expect(cluster.ask("POST", path, pod({ privileged: true }))).rejects.toThrow(
      /violates PodSecurity \\"restricted:/,
    );
    const modest = {
      allowPrivilegeEscalation: false,
      runAsNonRoot: true,
      capabilities: { drop: ["ALL"] },
      seccompProfile: { type: "RuntimeDefault" },
    };
    await cluster.ask("POST", path, pod(modest));
  });

  test("lets pods call whom they must, and strangers nobody", async () => {
    const policies = await list("tiny", "apis/networking.k8s.io/v1", "networkpolicies");
    const all = await pods("tiny");
    const asPod = ({ metadata }: KubernetesObject) => ({ namespace: metadata.namespace, labels: metadata.labels });
    const role = (name: string) => {
      const found = all.find((pod) => roleOf(pod) === name);
      if (found === undefined) throw new Error(`no pod of ${name}: ${all.map(roleOf)}`);
      return asPod(found);
    };
    const stranger = { namespace: namespaceOf("tiny"), labels: {} };
    const foreigner = { namespace: "default", labels: role("lambda-serving").labels };
    for (const pod of all) {
      for (const container of pod.spec.containers) {
        for (const { containerPort } of container.ports ?? []) {
          for (const caller of [stranger, foreigner])
            expect([pod.metadata.name, containerPort, mayCall(policies, caller, asPod(pod), containerPort)]).toEqual([
              pod.metadata.name,
              containerPort,
              false,
            ]);
        }
      }
    }
    const may = (from: string, to: string, port: number) => mayCall(policies, role(from), role(to), port);
    for (const [from, to, port] of [
      ["lambda-serving", "lambda-kafka-broker", 9092],
      ["lambda-serving", "lambda-cassandra-node", 9042],
      ["lambda-serving", "lambda-druid-broker", 8082],
      ["lambda-archiver", "lambda-kafka-broker", 9092],
      ["lambda-archiver", "lambda-hdfs-namenode", 9870],
      ["lambda-archiver", "lambda-hdfs-datanode", 9864],
      ["lambda-storm-supervisor", "lambda-zookeeper-server", 2181],
      ["lambda-storm-supervisor", "lambda-storm-nimbus", 6627],
      ["lambda-storm-supervisor", "lambda-kafka-broker", 9092],
      ["lambda-storm-supervisor", "lambda-cassandra-node", 9042],
      ["lambda-speed-submission", "lambda-storm-nimbus", 6627],
      ["lambda-yarn-nodemanager", "lambda-yarn-resourcemanager", 8031],
      ["lambda-yarn-nodemanager", "lambda-hdfs-datanode", 9866],
      ["lambda-druid-broker", "lambda-druid-historical", 8083],
      ["lambda-druid-coordinator", "lambda-zookeeper-server", 2181],
    ] as const)
      expect([from, to, port, may(from, to, port)]).toEqual([from, to, port, true]);
    for (const [from, to, port] of [
      ["lambda-serving", "lambda-kafka-broker", 9093],
      ["lambda-serving", "lambda-cassandra-node", 7000],
      ["lambda-serving", "lambda-zookeeper-server", 2181],
      ["lambda-kafka-broker", "lambda-cassandra-node", 9042],
      ["lambda-archiver", "lambda-druid-coordinator", 1527],
      ["lambda-storm-nimbus", "lambda-kafka-broker", 9092],
    ] as const)
      expect([from, to, port, may(from, to, port)]).toEqual([from, to, port, false]);
  });

  test("rolls one StatefulSet, and nothing else, when a broker's setting changes", async () => {
    const revisions = async () =>
      new Map((await statefulSets("tiny")).map(({ metadata, status }) => [metadata.name, status.updateRevision]));
    const [before, podsBefore] = [await revisions(), await pods("tiny")];
    await up("tiny", { size: "tiny", kafka: { heap: 320 } });
    const after = await revisions();
    const changed = [...after].filter(([name, revision]) => before.get(name) !== revision).map(([name]) => name);
    expect(changed).toEqual(["lambda-kafka-broker"]);
    const ids = new Set(podsBefore.map(({ metadata }) => metadata.uid));
    const replaced = (await pods("tiny")).filter(({ metadata }) => !ids.has(metadata.uid));
    expect(names(replaced)).toEqual(["lambda-kafka-broker-0"]);
    expect(replaced[0].spec.containers[0].args.join(" ")).toContain("-Xmx320m");
    await expectNoChanges("tiny");
  });

  test("in the size `ha`, beside it, spreads the replicas over the nodes", async () => {
    await project.pulumi("stack", "init", "ha", "--no-select");
    await up("ha", { size: "ha" });
    const replicas = Map.groupBy(
      (await pods("ha")).filter(({ metadata }) => metadata.ownerReferences[0].kind === "StatefulSet"),
      roleOf,
    );
    const counts = Object.fromEntries([...replicas].map(([role, all]) => [role, all.length]));
    expect(counts).toMatchObject({
      "lambda-zookeeper-server": 3,
      "lambda-kafka-broker": 3,
      "lambda-cassandra-node": 3,
      "lambda-hdfs-datanode": 3,
      "lambda-storm-nimbus": 2,
      "lambda-storm-supervisor": 2,
      "lambda-yarn-nodemanager": 2,
      "lambda-druid-historical": 2,
      "lambda-druid-indexer": 2,
    });
    for (const [role, all] of replicas) {
      const nodes = all.map(({ spec }) => spec.nodeName);
      expect([role, new Set(nodes).size]).toEqual([role, nodes.length]);
    }
    const budgets = await list("ha", "apis/policy/v1", "poddisruptionbudgets");
    const several = Object.keys(counts).filter((role) => (counts[role] ?? 0) > 1);
    expect(names(budgets)).toEqual(several.sort());
    for (const { metadata, status } of budgets)
      expect([metadata.name, status.disruptionsAllowed]).toEqual([metadata.name, 1]);
    await expectNoChanges("ha");
  });

  test("grows and shrinks by a replica without touching the others, whose volume stays", async () => {
    const dataNodes = async () => (await pods("ha")).filter((pod) => roleOf(pod) === "lambda-hdfs-datanode");
    const uids = (all: readonly KubernetesObject[]) => all.map(({ metadata }) => metadata.uid).sort();
    const before = await dataNodes();
    await up("ha", { size: "ha", hdfs: { dataNodes: 4 } });
    const more = await dataNodes();
    expect(names(more)).toEqual([0, 1, 2, 3].map((index) => `lambda-hdfs-datanode-${index}`));
    expect(uids(more)).toEqual(expect.arrayContaining(uids(before)));
    await up("ha", { size: "ha" });
    expect(uids(await dataNodes())).toEqual(uids(before));
    expect(names(await claims("ha"))).toContain("data-lambda-hdfs-datanode-3");
  });

  test("leaves its volumes at `destroy`, and takes them up again", async () => {
    const volumes = async () => (await claims("tiny")).map(({ metadata, spec }) => [metadata.name, spec.volumeName]);
    const before = await volumes();
    expect(before.length).toBeGreaterThan(5);
    await project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "tiny");
    expect(await pods("tiny")).toEqual([]);
    expect(await statefulSets("tiny")).toEqual([]);
    expect(await volumes()).toEqual(before);
    await up("tiny", { size: "tiny" });
    expect(await volumes()).toEqual(before);
  });

  test("deletes them where it is asked to", async () => {
    await up("tiny", { size: "tiny", deleteData: true });
    await project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "tiny");
    expect(names(await cluster.list("/api/v1/namespaces"))).not.toContain(namespaceOf("tiny"));
    expect(await claims("tiny")).toEqual([]);
    // The other stack has noticed nothing.
    expect((await claims("ha")).length).toBeGreaterThan(15);
  });

  test("writes manifests instead, which the API server takes to the letter", async () => {
    const manifests = mkdtempSync(join(tmpdir(), "lambda-architecture-manifests-"));
    try {
      await project.pulumi("stack", "init", "rendered", "--no-select");
      await up("rendered", { size: "ha", renderYamlToDirectory: manifests });
      const files = readdirSync(manifests, { recursive: true, encoding: "utf8" }).filter((file) =>
        /\.ya?ml$/.test(file),
      );
      const objects = files.map((file) => parse(readFileSync(join(manifests, file), "utf8")) as KubernetesObject);
      const resources = new Map<string, string>();
      for (const version of new Set(objects.map(({ apiVersion }) => apiVersion))) {
        const root = version === "v1" ? "/api/v1" : `/apis/${version}`;
        for (const { kind, name } of (await cluster.ask("GET", root)).resources)
          if (!name.includes("/")) resources.set(`${version} ${kind}`, `${root} ${name}`);
      }
      const namespace = objects.find(({ kind }) => kind === "Namespace");
      await cluster.ask("POST", "/api/v1/namespaces?fieldValidation=Strict", namespace);
      for (const object of objects.filter(({ kind }) => kind !== "Namespace")) {
        const [root, resource] = (resources.get(`${object.apiVersion} ${object.kind}`) ?? "").split(" ");
        const path = `${root}/namespaces/${object.metadata.namespace}/${resource}`;
        await cluster.ask("POST", `${path}?dryRun=All&fieldValidation=Strict`, object);
      }
      const kinds = [...new Set(objects.map(({ kind }) => kind))].sort();
      expect(kinds).toEqual(
        ["ConfigMap", "CronJob", "Deployment", "Job", "Namespace", "NetworkPolicy"].concat([
          "PodDisruptionBudget",
          "Secret",
          "Service",
          "ServiceAccount",
          "StatefulSet",
        ]),
      );
    } finally {
      rmSync(manifests, { recursive: true });
    }
  });
});
