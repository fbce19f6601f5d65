import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ControlPlanePrograms, ensureControlPlane } from "../../scripts/toolchain/control-plane.ts";

/** An object as the API server gives it. */
// biome-ignore lint/suspicious/noExplicitAny: objects of every kind, of which tests look at a few fields
export type KubernetesObject = any;

/** Seconds until every part of the control plane must answer. */
const startLimit = 120;
const address = "127.0.0.1";
const host = `https://${address}`;
/** The nodes, in two zones. Nothing runs on them: KWOK says that it does. */
const nodes = ["node-0", "node-1", "node-2", "node-3"];
/** Volumes to claim, since nothing provides them on demand. */
const volumes = 80;

/**
 * A real Kubernetes control plane on 127.0.0.1: etcd, API server, controllers and scheduler; the kubelets alone are
 * played by KWOK, so that pods get ready without running anything.
 */
export class ControlPlane {
  /** The path of a kubeconfig with all rights. */
  readonly kubeconfig: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #token: string;
  readonly #processes: ChildProcess[] = [];

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
    this.#token = randomBytes(16).toString("hex");
    this.kubeconfig = join(folder, "kubeconfig");
  }

  /** Starts one, which takes some seconds once its programs are built. */
  static async start(): Promise<ControlPlane> {
    const programs = await ensureControlPlane();
    const folder = mkdtempSync(join(tmpdir(), "lambda-architecture-control-plane-"));
    const [api = 0, ...ports] = await freePorts(5);
    const controlPlane = new ControlPlane(folder, api);
    try {
      await controlPlane.#start(programs, ports);
    } catch (error) {
      await controlPlane.stop();
      throw error;
    }
    return controlPlane;
  }

  /** Stops everything and forgets it. */
  async stop(): Promise<void> {
    for (const child of this.#processes.splice(0).reverse()) await end(child);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** What the API server answers. @throws {Error} with its own words if it refuses */
  async ask(method: string, path: string, body?: KubernetesObject): Promise<KubernetesObject> {
    const { status, text } = await this.#send(method, path, body);
    if (status < 200 || status > 299) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text);
  }

  /** The objects of a kind, e.g. `/apis/apps/v1/namespaces/x/statefulsets`. */
  async list(path: string): Promise<KubernetesObject[]> {
    return (await this.ask("GET", path)).items;
  }

  async #start(programs: ControlPlanePrograms, [etcd, peers, controllers, scheduler]: number[]): Promise<void> {
    const file = (name: string) => join(this.#folder, name);
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs8", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    writeFileSync(file("service-accounts.key"), privateKey, { mode: 0o600 });
    writeFileSync(file("service-accounts.pub"), publicKey);
    writeFileSync(file("tokens.csv"), `${this.#token},tester,tester,system:masters\n`, { mode: 0o600 });
    mkdirSync(file("certificates"));

    this.#run("etcd", programs.controlPlane, [
      "etcd",
      `--data-dir=${file("etcd")}`,
      "--log-level=warn",
      "--unsafe-no-fsync",
      `--listen-client-urls=http://${address}:${etcd}`,
      `--advertise-client-urls=http://${address}:${etcd}`,
      `--listen-peer-urls=http://${address}:${peers}`,
      `--initial-advertise-peer-urls=http://${address}:${peers}`,
      `--initial-cluster=default=http://${address}:${peers}`,
    ]);
    this.#run("kube-apiserver", programs.controlPlane, [
      "kube-apiserver",
      `--etcd-servers=http://${address}:${etcd}`,
      `--bind-address=${address}`,
      `--advertise-address=${address}`,
      `--secure-port=${this.#port}`,
      // It makes a certificate of its own there.
      `--cert-dir=${file("certificates")}`,
      `--token-auth-file=${file("tokens.csv")}`,
      "--authorization-mode=RBAC",
      // So that it is the namespace's own admission that refuses a privileged pod.
      "--allow-privileged=true",
      `--service-account-key-file=${file("service-accounts.pub")}`,
      `--service-account-signing-key-file=${file("service-accounts.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--endpoint-reconciler-type=none",
    ]);
    await this.#untilReady();
    this.#writeKubeconfig();
    this.#run("kube-controller-manager", programs.controlPlane, [
      "kube-controller-manager",
      `--kubeconfig=${this.kubeconfig}`,
      `--bind-address=${address}`,
      `--secure-port=${controllers}`,
      "--leader-elect=false",
      `--service-account-private-key-file=${file("service-accounts.key")}`,
      `--root-ca-file=${file("certificates/apiserver.crt")}`,
    ]);
    this.#run("kube-scheduler", programs.controlPlane, [
      "kube-scheduler",
      `--kubeconfig=${this.kubeconfig}`,
      `--bind-address=${address}`,
      `--secure-port=${scheduler}`,
      "--leader-elect=false",
    ]);
    for (const [index, name] of nodes.entries())
      await this.ask("POST", "/api/v1/nodes", node(name, `zone-${index % 2}`));
    await this.ask("POST", "/apis/storage.k8s.io/v1/storageclasses", storageClass);
    for (let index = 0; index < volumes; index++)
      await this.ask("POST", "/api/v1/persistentvolumes", volume(`volume-${index}`));
    this.#run("kwok", programs.kwok, [
      `--kubeconfig=${this.kubeconfig}`,
      `--config=${programs.stages}`,
      "--manage-all-nodes=false",
      "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
      // Without leases a node counts as lost after a minute, and its pods as not ready.
      "--node-lease-duration-seconds=40",
      "--node-ip=10.99.0.1",
      "--cidr=10.245.0.0/16",
    ]);
    await this.#until("the nodes are ready", async () => {
      const all = await this.list("/api/v1/nodes");
      return all.every(({ status }) =>
        status.conditions?.some(({ type, status: state }: KubernetesObject) => type === "Ready" && state === "True"),
      );
    });
  }

  #run(name: string, program: string, args: readonly string[]): void {
    const log = openSync(this.#log(name), "w");
    this.#processes.push(spawn(program, args, { cwd: this.#folder, stdio: ["ignore", log, log] }));
    closeSync(log);
  }

  #log(name: string): string {
    return join(this.#folder, `${name}.log`);
  }

  async #untilReady(): Promise<void> {
    await this.#until("the API server is ready", async () => {
      if (!existsSync(join(this.#folder, "certificates", "apiserver.crt"))) return false;
      const { status } = await this.#send("GET", "/readyz").catch(() => ({ status: 0 }));
      return status === 200;
    });
  }

  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + startLimit * 1000;
    while (!(await condition())) {
      const dead = this.#processes.find(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null);
      if (dead !== undefined || Date.now() > deadline) {
        const logs = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"]
          .filter((name) => existsSync(this.#log(name)))
          .map((name) => `${name}: ${readFileSync(this.#log(name), "utf8").slice(-1500)}`);
        throw new Error(`it is not so that ${what}:\n${logs.join("\n")}`);
      }
      await sleep(200);
    }
  }

  #writeKubeconfig(): void {
    const certificate = readFileSync(join(this.#folder, "certificates", "apiserver.crt")).toString("base64");
    const name = "simulated";
    const kubeconfig = {
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name, cluster: { server: `${host}:${this.#port}`, "certificate-authority-data": certificate } }],
      users: [{ name, user: { token: this.#token } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      "current-context": name,
    };
    writeFileSync(this.kubeconfig, JSON.stringify(kubeconfig), { mode: 0o600 });
  }

  async #send(method: string, path: string, body?: KubernetesObject): Promise<{ status: number; text: string }> {
    const ca = readFileSync(join(this.#folder, "certificates", "apiserver.crt"));
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": "application/json" };
    return await new Promise((resolve, reject) => {
      const options = { host: address, port: this.#port, method, path, ca, headers, agent: false };
      const sent = request(options, async (response) => {
        const parts: Buffer[] = [];
        for await (const part of response) parts.push(part);
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() });
      });
      sent.once("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

function node(name: string, zone: string): KubernetesObject {
  const size = { cpu: "64", memory: "256Gi", pods: "250" };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      annotations: { "kwok.x-k8s.io/node": "fake" },
      labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": zone },
    },
    status: { allocatable: size, capacity: size },
  };
}

const storageClass: KubernetesObject = {
  apiVersion: "storage.k8s.io/v1",
  kind: "StorageClass",
  metadata: { name: "manual", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: "kubernetes.io/no-provisioner",
};

function volume(name: string): KubernetesObject {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage: "1Ti" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "manual",
      persistentVolumeReclaimPolicy: "Retain",
      hostPath: { path: `/nonexistent/${name}` },
    },
  };
}

/** Ports of 127.0.0.1 that are free now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, address, () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(timer);
}
