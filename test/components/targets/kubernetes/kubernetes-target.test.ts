import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import type { ServiceArgs, TaskArgs } from "../../../../components/target.ts";
import {
  createKubernetesTarget,
  type KubernetesTarget,
  type KubernetesTargetArgs,
} from "../../../../components/targets/kubernetes/index.ts";
import { unwrapSecrets } from "../../../../components/targets/local/state.ts";
import { type RecordedResource, RecordedResources } from "../../../support/recorded-resources.ts";

const checkout = join(import.meta.dirname, "../../../..");
const resources = new RecordedResources();
beforeEach(() => resources.start());

const distribution = { name: "kafka", parts: { lib: join(checkout, "components/kafka/distribution") } };
const node = "/opt/lambda/bin/node";
const createTarget = (args: Partial<KubernetesTargetArgs> = {}) =>
  createKubernetesTarget({ project: "p", stack: "s", ...args });

function replica(target: KubernetesTarget, index: number, others: Partial<ServiceArgs> = {}): ServiceArgs {
  const identity = { component: "kafka", role: "broker", index };
  const { address, configuration } = target.placement(identity);
  return {
    identity,
    command: [target.java, `-Dhost=${address}`, `${configuration}/server.properties`],
    files: { "server.properties": { content: `id=${index}\nhost=${address}\n` } },
    ports: { client: 9092, controller: 9093 },
    clientPorts: ["client"],
    readiness: { kind: "tcp", port: 9092 },
    memory: 400,
    cpu: 0.25,
    distributions: [distribution],
    stateful: true,
    ...others,
  };
}

function deploy(args: Partial<KubernetesTargetArgs> = {}, replicas = 3, others: Partial<ServiceArgs> = {}) {
  const target = createTarget(args);
  target.services({ replicas: Array.from({ length: replicas }, (_, index) => replica(target, index, others)) }, {});
  return target;
}

/** A server without replicas and without data. */
function serving(others: Partial<ServiceArgs> = {}): ServiceArgs {
  return {
    identity: { component: "lambda", role: "serving" },
    command: [node, "serving.mjs"],
    ports: { http: 8080 },
    readiness: { kind: "http", port: 8080, path: "/healthz" },
    memory: 320,
    cpu: 0.25,
    ...others,
  };
}

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind, of which tests look at a few fields
type Inputs = any;

/** The resources of a kind by name. */
async function all(kind: string): Promise<Map<string, Inputs>> {
  const found = (await resources.list()).filter(({ type }) => type.split(":").at(-1) === kind);
  return new Map(found.map(({ name, inputs }) => [name, unwrapSecrets(inputs)]));
}

async function one(kind: string, name: string): Promise<Inputs> {
  const found = (await all(kind)).get(name);
  expect(found, `${kind} ${name}`).toBeDefined();
  return found;
}

async function podOf(kind: string, name: string): Promise<Inputs> {
  return (await one(kind, name)).spec.template.spec;
}

describe("servers that keep data", () => {
  test("are a StatefulSet of a headless Service, with a volume each that outlives it", async () => {
    deploy();
    const { metadata, spec } = await one("StatefulSet", "kafka-broker");
    expect(metadata).toMatchObject({ name: "kafka-broker", namespace: "p-s" });
    expect(spec).toMatchObject({
      serviceName: "kafka-broker",
      replicas: 3,
      podManagementPolicy: "Parallel",
      updateStrategy: { type: "RollingUpdate" },
      minReadySeconds: 5,
      selector: {
        matchLabels: { "app.kubernetes.io/name": "kafka", "app.kubernetes.io/component": "broker" },
      },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Gi" } } },
        },
      ],
    });
    expect(spec.volumeClaimTemplates[0].spec.storageClassName).toBeUndefined();
    const service = await one("Service", "kafka-broker");
    expect(service.spec).toEqual({
      clusterIP: "None",
      publishNotReadyAddresses: true,
      selector: spec.selector.matchLabels,
      ports: [
        { name: "client", port: 9092, targetPort: 9092 },
        { name: "controller", port: 9093, targetPort: 9093 },
      ],
    });
  });

  test("start one after another where they are ordered, and Pulumi waits so long", async () => {
    const target = createTarget();
    const replicas = [replica(target, 0), replica(target, 1)];
    target.services({ replicas, ordered: true }, {});
    expect((await one("StatefulSet", "kafka-broker")).spec.podManagementPolicy).toBe("OrderedReady");
  });

  test("run as nobody special, with what they need and nothing else", async () => {
    deploy({}, 1);
    const pod = await podOf("StatefulSet", "kafka-broker");
    expect(pod).toMatchObject({
      serviceAccountName: "kafka-broker",
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 10,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        fsGroup: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      },
    });
    for (const container of [...pod.initContainers, ...pod.containers]) {
      expect(container.image).toMatch(/^lambda-architecture\/kafka:[0-9a-f]{12}$/);
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      expect(container.resources.requests.memory).toBe(container.resources.limits.memory);
    }
    expect(pod.containers[0].resources).toEqual({
      requests: { memory: "400Mi", cpu: "250m" },
      limits: { memory: "400Mi" },
    });
    expect((await one("ServiceAccount", "kafka-broker")).automountServiceAccountToken).toBe(false);
  });

  test("find their own name and files in their pod's name", async () => {
    deploy();
    const { initContainers, containers, volumes } = await podOf("StatefulSet", "kafka-broker");
    expect(containers[0].args).toEqual([
      "/opt/lambda/java/bin/java",
      "-Dhost=$(POD_ADDRESS)",
      "/lambda/configuration/server.properties",
    ]);
    expect(containers[0].env.slice(0, 2)).toEqual([
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "POD_ADDRESS", value: "$(POD_NAME).kafka-broker.p-s.svc.cluster.local" },
    ]);
    expect(initContainers[0].volumeMounts).toEqual([
      { name: "files", mountPath: "/lambda/files", readOnly: true },
      { name: "configuration", mountPath: "/lambda/configuration" },
    ]);
    const [configMap] = [...(await all("ConfigMap")).values()];
    expect(configMap.data).toEqual({
      "0.server.properties": "id=0\nhost=kafka-broker-0.kafka-broker.p-s.svc.cluster.local\n",
      "1.server.properties": "id=1\nhost=kafka-broker-1.kafka-broker.p-s.svc.cluster.local\n",
      "2.server.properties": "id=2\nhost=kafka-broker-2.kafka-broker.p-s.svc.cluster.local\n",
    });
    expect(volumes).toContainEqual({
      name: "files",
      projected: { defaultMode: 0o440, sources: [{ configMap: { name: configMap.metadata.name } }] },
    });
  });

  test("write to their own folders only", async () => {
    deploy({}, 1);
    const { containers, volumes } = await podOf("StatefulSet", "kafka-broker");
    const mounts = containers[0].volumeMounts.map(({ name, mountPath }: Inputs) => [name, mountPath]);
    expect(mounts).toEqual([
      ["configuration", "/lambda/configuration"],
      ["data", "/lambda/data"],
      ["logs", "/lambda/logs"],
      ["temporary", "/lambda/temporary"],
      ["temporary", "/tmp"],
    ]);
    const empty = volumes.filter(({ emptyDir }: Inputs) => emptyDir !== undefined).map(({ name }: Inputs) => name);
    expect(empty).toEqual(["configuration", "logs", "temporary"]);
  });

  test("keep apart from each other, and are taken away one at a time, where there are several", async () => {
    deploy();
    const { topologySpreadConstraints } = await podOf("StatefulSet", "kafka-broker");
    expect(topologySpreadConstraints).toMatchObject([
      { maxSkew: 1, topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "DoNotSchedule" },
      { maxSkew: 1, topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway" },
    ]);
    expect((await one("PodDisruptionBudget", "kafka-broker")).spec).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: { "app.kubernetes.io/name": "kafka", "app.kubernetes.io/component": "broker" } },
    });
  });

  test("are neither spread nor budgeted where there is one", async () => {
    deploy({}, 1);
    expect((await podOf("StatefulSet", "kafka-broker")).topologySpreadConstraints).toBeUndefined();
    expect((await all("PodDisruptionBudget")).size).toBe(0);
  });

  test("get a new pod with a new file, and none with a further replica", async () => {
    const configMapOf = async (replicas: number, others: Partial<ServiceArgs> = {}) => {
      await resources.start();
      deploy({}, replicas, others);
      const template = JSON.stringify((await one("StatefulSet", "kafka-broker")).spec.template);
      return { template, configMap: [...(await all("ConfigMap")).values()][0].metadata.name };
    };
    const three = await configMapOf(3);
    expect(await configMapOf(4)).toEqual(three);
    const changed = await configMapOf(3, { files: { "server.properties": { content: "other" } } });
    expect(changed.configMap).not.toBe(three.configMap);
    expect(changed.template).not.toBe(three.template);
  });

  test("prepare before each start, in the same process", async () => {
    deploy({}, 1, { prepare: ["cp", "it's", "$(there)"], command: ["/java", "X"] });
    const { containers } = await podOf("StatefulSet", "kafka-broker");
    expect(containers[0].args).toEqual(["/bin/sh", "-c", `'cp' 'it'\\''s' '$$(there)' && exec '/java' 'X'`]);
  });

  test("have as long to stop as they need", async () => {
    deploy({}, 1, { stopGrace: 33 });
    expect((await podOf("StatefulSet", "kafka-broker")).terminationGracePeriodSeconds).toBe(33);
  });
});

describe("a server that keeps nothing and has no replicas", () => {
  test("gets its successor beside it, found when that is ready, if the two may overlap", async () => {
    createTarget().services({ replicas: [serving({ overlaps: true })] }, {});
    const { spec } = await one("Deployment", "lambda-serving");
    expect(spec.strategy).toEqual({ type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    expect(spec.template.spec.containers[0].readinessProbe).toBeDefined();
    expect((await one("Service", "lambda-serving")).spec.publishNotReadyAddresses).toBe(false);
  });

  test("is a Deployment with a steady name, of which there are never two", async () => {
    createTarget().services({ replicas: [serving({ files: { "a/b.json": { content: "{}" } } })] }, {});
    const { spec } = await one("Deployment", "lambda-serving");
    expect(spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
    expect(spec.template.spec).toMatchObject({ hostname: "lambda-serving-0", subdomain: "lambda-serving" });
    expect(spec.template.spec.initContainers).toBeUndefined();
    const [{ metadata }] = [...(await all("ConfigMap")).values()];
    expect(spec.template.spec.volumes).toContainEqual({
      name: "configuration",
      projected: {
        defaultMode: 0o440,
        sources: [{ configMap: { name: metadata.name, items: [{ key: "a__b.json", path: "a/b.json" }] } }],
      },
    });
  });

  test("is asked by HTTP whether it is ready, by the kubelet itself", async () => {
    createTarget().services({ replicas: [serving({ readinessTimeout: 60 })] }, {});
    const { containers } = await podOf("Deployment", "lambda-serving");
    expect(containers[0].readinessProbe).toMatchObject({ httpGet: { port: 8080, path: "/healthz" } });
    expect(containers[0].startupProbe).toMatchObject({
      tcpSocket: { port: 8080 },
      periodSeconds: 5,
      failureThreshold: 24,
    });
    expect(containers[0].livenessProbe).toMatchObject({ tcpSocket: { port: 8080 } });
  });
});

test("a server whose answer counts is asked by a command, in its own name", async () => {
  const target = createTarget();
  const { address } = target.placement({ component: "kafka", role: "broker", index: 0 });
  const path = `/nodes/${address}`;
  const readiness = { kind: "http", port: 8088, path, address: "other.example", expect: "RUNNING" } as const;
  target.services({ replicas: [replica(target, 0, { readiness })] }, {});
  const [server] = (await podOf("StatefulSet", "kafka-broker")).containers;
  const command = server.readinessProbe.exec.command.join(" ");
  expect(command).toContain(`'/nodes/'"$POD_ADDRESS"''`);
  expect(command).toContain("other.example");
});

describe("secrets", () => {
  test("in files are in a Secret, whose name changes with them and tells nothing", async () => {
    deploy({}, 1, { files: { jaas: { content: pulumi.secret("open sesame"), secret: true } } });
    const [secret] = [...(await all("Secret")).values()];
    expect(secret.stringData).toEqual({ "0.jaas": "open sesame" });
    expect(secret.metadata.name).toMatch(/^kafka-broker-files-[0-9a-f]{10}$/);
    expect((await all("ConfigMap")).size).toBe(0);
    const set = (await resources.list()).find(({ type }) => type.endsWith(":StatefulSet")) as RecordedResource;
    // Were the name a secret, all of the pod would be one in previews.
    expect(JSON.stringify(set.inputs)).not.toContain("1b47061264138c4ac30d75fd1eb44270");
    expect(JSON.stringify(set.inputs)).not.toContain("open sesame");
  });

  test("in the environment are in a Secret too; plain words are not", async () => {
    deploy({}, 1, { environment: { USER: "hdfs", PASSWORD: pulumi.secret("open sesame") } });
    const [server] = (await podOf("StatefulSet", "kafka-broker")).containers;
    const [[name, secret] = []] = [...(await all("Secret"))];
    expect(name).toBe("kafka-broker-environment");
    expect(secret.stringData).toEqual({ PASSWORD: "open sesame" });
    expect(server.env).toContainEqual({ name: "USER", value: "hdfs" });
    expect(server.env).toContainEqual({
      name: "PASSWORD",
      valueFrom: { secretKeyRef: { name: secret.metadata.name, key: "PASSWORD" } },
    });
  });
});

describe("the ways between pods", () => {
  test("are closed but for DNS, the component's own and its clients' on their ports", async () => {
    deploy({ callers: { "kafka-broker": [{ namespaceSelector: { matchLabels: { team: "a" } } }] } });
    const policies = await all("NetworkPolicy");
    const kafka = { podSelector: { matchLabels: { "app.kubernetes.io/name": "kafka" } } };
    const clients = { podSelector: { matchLabels: { "lambda-architecture/client-of-kafka": "true" } } };
    expect(Object.fromEntries([...policies].map(([name, { spec }]) => [name, spec]))).toEqual({
      "deny-all": {
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
        egress: [
          {
            ports: [
              { protocol: "UDP", port: 53 },
              { protocol: "TCP", port: 53 },
            ],
          },
        ],
      },
      "kafka-peers": {
        ...kafka,
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: [kafka] }],
        egress: [{ to: [kafka] }],
      },
      "kafka-clients": { ...clients, policyTypes: ["Egress"], egress: [{ to: [kafka] }] },
      "kafka-broker-callers": {
        podSelector: {
          matchLabels: { "app.kubernetes.io/name": "kafka", "app.kubernetes.io/component": "broker" },
        },
        policyTypes: ["Ingress"],
        ingress: [
          {
            from: [clients, { namespaceSelector: { matchLabels: { team: "a" } } }],
            ports: [{ protocol: "TCP", port: 9092 }],
          },
        ],
      },
    });
  });

  test("lead out of the namespace where they are asked to", async () => {
    deploy({ egress: [{ to: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [{ port: 443 }] }] });
    expect((await one("NetworkPolicy", "ways-out")).spec).toEqual({
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "192.0.2.0/24" } }], ports: [{ port: 443 }] }],
    });
  });

  test("are open to whom a file, a command or the component says, and to nobody else", async () => {
    const target = deploy();
    const { address } = target.placement({ component: "kafka", role: "broker", index: 1 });
    const store = target.placement({ component: "cassandra", role: "node", index: 0 }).address;
    target.services(
      {
        replicas: [
          serving({
            files: { "c.json": { content: pulumi.secret(`{"brokers": "${address}:9092"}`) } },
            reaches: [store],
          }),
        ],
      },
      {},
    );
    target.services({ replicas: [serving({ identity: { component: "lambda", role: "stranger" } })] }, {});
    const clientLabels = async (name: string) =>
      Object.keys((await one("Deployment", name)).spec.template.metadata.labels).filter((label) =>
        /client/.test(label),
      );
    expect(await clientLabels("lambda-serving")).toEqual([
      "lambda-architecture/client-of-cassandra",
      "lambda-architecture/client-of-kafka",
    ]);
    expect(await clientLabels("lambda-stranger")).toEqual([]);
  });
});

describe("a task", () => {
  const topics: TaskArgs = {
    identity: { component: "kafka", role: "topics" },
    command: [node, "topics.mjs", "$(x)"],
    files: { "topics.json": { content: "[]" } },
    timeout: 90,
    retries: 2,
  };

  const nameOf = async (args: TaskArgs) => {
    await resources.start();
    createTarget().task(args, {});
    return (await one("Job", "kafka-topics")).metadata.name;
  };

  test("is a Job that ends in time, tried again as often as asked", async () => {
    createTarget().task(topics, {});
    const { spec } = await one("Job", "kafka-topics");
    expect(spec).toMatchObject({ backoffLimit: 2, activeDeadlineSeconds: 600 + 3 * 90 });
    expect(spec.ttlSecondsAfterFinished).toBeUndefined();
    expect(spec.template.spec.restartPolicy).toBe("Never");
    expect(spec.template.spec.containers[0].args).toEqual([node, "topics.mjs", "$$(x)"]);
  });

  test("is another Job whenever its command, files, environment or triggers change, else the same", async () => {
    const names = [
      await nameOf(topics),
      await nameOf({ ...topics, command: [node, "others.mjs"] }),
      await nameOf({ ...topics, files: { "topics.json": { content: "[1]" } } }),
      await nameOf({ ...topics, environment: { A: "1" } }),
      await nameOf({ ...topics, triggers: ["again"] }),
    ];
    for (const name of names) expect(name).toMatch(/^kafka-topics-[0-9a-f]{10}$/);
    expect(new Set(names).size).toBe(names.length);
    expect(await nameOf({ ...topics })).toBe(names[0]);
  });

  test("that has to be taken back is kept by a pod, which runs it first and takes it back at its end", async () => {
    createTarget().task({ ...topics, deleteCommand: [node, "topics.mjs", "--delete"] }, {});
    const { spec } = await one("Deployment", "kafka-topics");
    expect(spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
    const { initContainers, containers, terminationGracePeriodSeconds } = spec.template.spec;
    expect(initContainers[0].args).toEqual([node, "topics.mjs", "$$(x)"]);
    expect(containers[0].lifecycle.preStop.exec.command).toEqual([node, "topics.mjs", "--delete"]);
    expect(terminationGracePeriodSeconds).toBe(90);
    expect((await all("Job")).size).toBe(0);
  });
});

test("a schedule is a CronJob in UTC whose runs never overlap", async () => {
  createTarget().schedule(
    {
      identity: { component: "lambda", role: "batch" },
      cron: "0 * * * *",
      command: [node, "batch.mjs"],
      memory: 512,
      cpu: 0.25,
    },
    {},
  );
  const { spec } = await one("CronJob", "lambda-batch");
  expect(spec).toMatchObject({ schedule: "0 * * * *", timeZone: "Etc/UTC", concurrencyPolicy: "Forbid" });
  const { template } = spec.jobTemplate.spec;
  expect(template.spec.containers[0]).toMatchObject({
    args: [node, "batch.mjs"],
    resources: { limits: { memory: "512Mi" } },
  });
});

describe("the namespace", () => {
  test("is the stack's own, takes pods of the strictest kind only, and outlives the stack with its volumes", async () => {
    deploy();
    const namespace = (await resources.list()).find(({ type }) => type.endsWith(":Namespace"));
    expect(namespace).toMatchObject({ name: "p-s", parent: "" });
    expect(unwrapSecrets(namespace?.inputs)).toMatchObject({
      metadata: { name: "p-s", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
  });

  test("may be chosen, with another domain", () => {
    const target = createTarget({ namespace: "analytics", clusterDomain: "example.org" });
    expect(target.namespace).toBe("analytics");
    expect(target.placement({ component: "a", role: "b", index: 1 }).address).toBe(
      "a-b-1.a-b.analytics.svc.example.org",
    );
  });
});

describe("what is configured", () => {
  test("storage and its sizes", async () => {
    deploy({ storageClass: "fast", volumeSize: "5Gi", volumeSizes: { "kafka-broker": "1Ti" } });
    expect((await one("StatefulSet", "kafka-broker")).spec.volumeClaimTemplates[0].spec).toEqual({
      accessModes: ["ReadWriteOnce"],
      storageClassName: "fast",
      resources: { requests: { storage: "1Ti" } },
    });
  });

  test("CPU time, where it is not to be what the component expects", async () => {
    deploy({ cpu: "200m", cpus: { "kafka-broker": "2" } });
    expect((await podOf("StatefulSet", "kafka-broker")).containers[0].resources.requests.cpu).toBe("2");
  });

  test("the deletion of data", async () => {
    deploy({ deleteData: true });
    expect((await one("StatefulSet", "kafka-broker")).spec.persistentVolumeClaimRetentionPolicy).toEqual({
      whenDeleted: "Delete",
      whenScaled: "Retain",
    });
  });

  test("the Secrets with which images are pulled", async () => {
    deploy({ imagePullSecrets: ["registry"] });
    expect((await podOf("StatefulSet", "kafka-broker")).imagePullSecrets).toEqual([{ name: "registry" }]);
  });

  test.each([{ kubeconfig: "some kubeconfig" }, { context: "staging" }, { renderYamlToDirectory: "manifests" }])(
    "the cluster: %o",
    async (args) => {
      deploy(args);
      expect(await one("kubernetes", "kubernetes")).toMatchObject(args);
    },
  );

  test("a provider of one's own", async () => {
    deploy({ provider: new kubernetes.Provider("mine", { context: "theirs" }) });
    expect([...(await all("kubernetes")).keys()]).toEqual(["mine"]);
  });
});

describe("what Kubernetes cannot do is an error that names instance and argument", () => {
  test("another signal", () => {
    expect(() => deploy({}, 1, { stopSignal: "SIGINT" })).toThrow(
      /Kubernetes: kafka-broker-0: stopSignal must be SIGTERM/,
    );
  });

  test("a port's name", () => {
    expect(() => deploy({}, 1, { ports: { resourceTrackerPort: 1 } })).toThrow(
      /Kubernetes: kafka-broker-0: ports.resourceTrackerPort must have a name/,
    );
  });

  test("a port for clients that is none", () => {
    expect(() => deploy({}, 1, { clientPorts: ["web"] })).toThrow(/kafka-broker-0: clientPorts must name ports/);
  });

  test("a component's name", () => {
    expect(() => createTarget().placement({ component: "My.Kafka", role: "broker" })).toThrow(
      /Kubernetes: My.Kafka-broker: name must be lower-case/,
    );
  });

  test("wrong arguments, all at once", () => {
    const wrong = { namespace: "Mine", volumeSize: "10 GB", cpu: "much", volumeSizes: { x: "1Zi" }, cpus: { x: "-1" } };
    expect(() => createTarget(wrong)).toThrow(
      /Kubernetes: namespace must .*; volumeSize must .*; cpu must .*; volumeSizes.x must .*; cpus.x must /,
    );
    const provider = new kubernetes.Provider("mine", {});
    expect(() => createTarget({ provider, context: "x" })).toThrow(/context must not stand beside provider/);
  });
});
