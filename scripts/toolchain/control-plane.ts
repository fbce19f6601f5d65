import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../components/cache-folder.mjs";
import { type GoProgram, goBuild, recipeDigest } from "../setup/go-build.mjs";
import { withLock } from "../setup/lock.mjs";
import { checkout } from "../setup/paths.mjs";
import { executables, isExecutable } from "../setup/prerequisites.mjs";
import { run, SetupError, say, step } from "../setup/progress.mjs";
import { publish } from "../setup/publish.mjs";

/** The Kubernetes version that is built. */
export const kubernetesVersion = "1.34.4";

const version = `v${kubernetesVersion}`;
const programs: readonly GoProgram[] = [
  {
    // etcd and all servers of Kubernetes in one program, told apart by its first argument.
    module: join(checkout, "test", "toolchain", "control-plane"),
    package: ".",
    program: "control-plane",
    linkerFlags: [
      "-s -w",
      `-X k8s.io/component-base/version.gitVersion=${version}`,
      "-X k8s.io/component-base/version.gitMajor=1",
      "-X k8s.io/component-base/version.gitMinor=34",
      "-X k8s.io/component-base/version.gitTreeState=clean",
      `-X k8s.io/client-go/pkg/version.gitVersion=${version}`,
    ].join(" "),
  },
  {
    // Plays the kubelet of nodes that do not exist: pods become ready without running anything.
    module: join(checkout, "test", "toolchain", "kwok"),
    package: "sigs.k8s.io/kwok/cmd/kwok",
    program: "kwok",
    linkerFlags: "-s -w",
  },
];

/** The programs of a Kubernetes control plane with simulated nodes. */
export interface ControlPlanePrograms {
  /** The absolute path of their folder. */
  readonly folder: string;
  /** etcd, kube-apiserver, kube-controller-manager and kube-scheduler: its first argument says which. */
  readonly controlPlane: string;
  readonly kwok: string;
  /** The file that tells KWOK how it plays nodes and pods. */
  readonly stages: string;
}

/** Why there is no control plane on this machine and none can be built; undefined if there is or can. */
export function controlPlaneProblem(): string | undefined {
  if (isThere(builtPrograms()) || executables("go").length > 0) return undefined;
  return "the control plane is built with Go, which was not found: install Go 1.21 or newer";
}

/**
 * Builds the control plane from pinned Go modules, once a machine.
 *
 * @throws {SetupError} if there is no Go
 */
export async function ensureControlPlane(): Promise<ControlPlanePrograms> {
  const built = builtPrograms();
  if (isThere(built)) return built;
  const problem = controlPlaneProblem();
  if (problem !== undefined) throw new SetupError(problem);
  await withLock(join(cacheFolder(), "control-plane.lock"), async () => {
    if (isThere(built)) return;
    say(`Building a Kubernetes ${kubernetesVersion} control plane (once a machine; about 12 min of CPU time)`);
    await publish(built.folder, async (scratch) => {
      await step("building the Kubernetes control plane", () => goBuild(programs, scratch));
      writeFileSync(join(scratch, stagesFile), await kwokStages());
      return scratch;
    });
  });
  return built;
}

const stagesFile = "stages.yaml";

/** KWOK's own definitions of nodes and pods that get ready at once, which are beside its sources. */
async function kwokStages(): Promise<string> {
  const module = join(checkout, "test", "toolchain", "kwok");
  const directory = (await run("go", ["list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/kwok"], { cwd: module })).trim();
  const stages = ["node/fast/node-initialize", "node/heartbeat-with-lease/node-heartbeat-with-lease"].concat(
    ["ready", "complete", "delete"].map((stage) => `pod/fast/pod-${stage}`),
  );
  return stages
    .map((stage) => readFileSync(join(directory, "kustomize", "stage", `${stage}.yaml`), "utf8"))
    .join("---\n");
}

function builtPrograms(): ControlPlanePrograms {
  const digest = recipeDigest(programs);
  const folder = join(cacheFolder(), `control-plane-${digest}-${process.platform}-${process.arch}`);
  const [controlPlane, kwok, stages] = ["control-plane", "kwok", stagesFile].map((file) => join(folder, file));
  return { folder, controlPlane, kwok, stages } as ControlPlanePrograms;
}

function isThere({ controlPlane, kwok, stages }: ControlPlanePrograms): boolean {
  return isExecutable(controlPlane) && isExecutable(kwok) && existsSync(stages);
}
