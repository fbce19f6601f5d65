import { join } from "node:path";
import type { LoadedApplication } from "../../components/application.ts";
import { instanceName, type Placement, type Target } from "../../components/target.ts";
import { createDockerTarget } from "../../components/targets/docker/index.ts";
import { createKubernetesTarget } from "../../components/targets/kubernetes/index.ts";
import { createLocalTarget } from "../../components/targets/local/index.ts";
import type { RecordedResources } from "../support/recorded-resources.ts";
import { components } from "./components.ts";
import { type DeployedInstance, type Reader, readDocker, readKubernetes, readLocal } from "./deployed.ts";

/** A target of the suite: how to make one, how to read what it deploys, and what its real tests run on. */
interface Subject {
  create(folder: string): Target;
  readonly read: Reader;
  /** What runs the components of this target in a test, for the README. */
  readonly testedOn: string;
}

const stack = { project: "project", stack: "stack" };

/** The targets. */
export const subjects = {
  local: {
    create: (folder) =>
      createLocalTarget({
        ...stack,
        folder,
        surroundings: endless,
      }),
    read: readLocal,
    testedOn: "its servers, on this machine: `npm test`",
  },
  docker: {
    create: (folder) => createDockerTarget({ ...stack, folder, surroundings: endless }),
    read: readDocker,
    testedOn: "a Docker daemon of the test's own, with the demo's events and kills: `npm run test:docker`",
  },
  kubernetes: {
    create: () => createKubernetesTarget(stack),
    read: readKubernetes,
    testedOn:
      "a real control plane with simulated nodes, on which pods count as ready but run nothing: `npm run test:kubernetes`",
  },
} satisfies Record<string, Subject>;
export type SubjectName = keyof typeof subjects;

/** A machine on which everything has room. */
const endless = {
  free: async () => ({ cores: undefined, memory: undefined, disk: undefined }),
  given: async () => new Map(),
  permanent: async () => ({}),
  say: () => {},
};

/**
 * What a component comes to on a target: each instance by its name, with words for what is each target's own, such as
 * addresses and folders.
 *
 * @param folder where a target that needs one may keep files; nothing is written to it
 */
export async function deployed(
  component: string,
  subject: SubjectName,
  application: LoadedApplication,
  resources: RecordedResources,
  folder: string,
): Promise<Map<string, DeployedInstance>> {
  await resources.start();
  const { create, read } = subjects[subject] as Subject;
  const target = create(join(folder, subject));
  const words = wordsOf(target);
  components[component]?.(target, application);
  const found = read(await resources.list());
  return new Map([...found].map(([name, instance]) => [withoutHash(name), inWords(instance, words())]));
}

/** A topology's name without the hash of what it runs, which paths and addresses are a part of. */
function withoutHash(text: string): string {
  return text.replaceAll(/(?<=\blambda-speed-)[0-9a-f]{8}\b/g, "<hash>");
}

/** Notes what the target says of its own, and gives the words for it: what is to be replaced, and by what. */
function wordsOf(target: Target): () => [RegExp | string, string][] {
  const placements = new Map<string, Placement>();
  const fixed = new Map<string, string>();
  const { placement, directory, program, published } = bound(target);
  Object.assign(target, {
    placement: ((identity) => {
      const placed = placement(identity);
      placements.set(instanceName(identity), placed);
      return placed;
    }) satisfies Target["placement"],
    directory: ((distribution) => {
      const path = directory(distribution);
      fixed.set(path, `<distribution ${distribution.name}>`);
      return path;
    }) satisfies Target["directory"],
    program: ((entry, application) => {
      const path = program(entry, application);
      fixed.set(path, `<program ${path.split("/").at(-1)}>`);
      return path;
    }) satisfies Target["program"],
    published: ((identity, port) => {
      const address = published(identity, port);
      fixed.set(address, `<${instanceName(identity)}>:${port}`);
      return address;
    }) satisfies Target["published"],
  });
  return () => {
    fixed.set(target.java, "<java>");
    fixed.set(target.node, "<node>");
    for (const [name, placed] of placements) {
      for (const kind of ["configuration", "data", "logs", "temporary"] as const) fixed.set(placed[kind], `<${kind}>`);
      fixed.set(placed.address, `<${name}>`);
    }
    // The longest first: one may be a part of another.
    const literal = [...fixed].sort(([a], [b]) => b.length - a.length);
    // On some targets an instance's name is its address.
    const named = [...placements.keys()].map((name): [RegExp, string] => [
      new RegExp(`(?<![\\w.<-])${name}(?![\\w.>-])`, "g"),
      `<${name}>`,
    ]);
    return [...literal, ...named];
  };
}

function bound(target: Target) {
  return {
    placement: target.placement.bind(target),
    directory: target.directory.bind(target),
    program: target.program.bind(target),
    published: target.published.bind(target),
  };
}

function inWords(instance: DeployedInstance, words: readonly [RegExp | string, string][]): DeployedInstance {
  const text = (before: string) =>
    withoutHash(words.reduce((all, [own, word]) => all.replaceAll(own, () => word), before));
  return {
    ...instance,
    command: instance.command.map(text),
    ...(instance.deleteCommand && { deleteCommand: instance.deleteCommand.map(text) }),
    files: Object.fromEntries(Object.entries(instance.files).map(([path, content]) => [path, text(content)])),
  };
}

/** The table for the README: components by targets, with the number of instances that a component comes to on each. */
export function conformanceTable(counts: ReadonlyMap<string, ReadonlyMap<SubjectName, number>>): string {
  const names = Object.keys(subjects) as SubjectName[];
  return [
    `| component | ${names.join(" | ")} |`,
    `| --- |${" --- |".repeat(names.length)}`,
    ...[...counts].map(
      ([component, bySubject]) =>
        `| \`${component}\` | ${names.map((name) => bySubject.get(name) ?? "not tested").join(" | ")} |`,
    ),
    `| run in tests by | ${names.map((name) => subjects[name].testedOn).join(" | ")} |`,
  ].join("\n");
}
