import { basename } from "node:path";
import { setImmediate as programsTurn } from "node:timers/promises";
import { distributionFolder, javaProgram, nodeProgram, programsFolder, userId } from "../../images/layout.ts";
import { type ImageContent, type ImageSettings, imageReference } from "../../images/recipe.ts";
import { upstreamLinks } from "../../images/upstream.ts";
import { bundleProgram } from "../../programs.ts";
import { type Distribution, type InstanceIdentity, instanceName } from "../../target.ts";
import { distributionDigest } from "../local/distribution.ts";

/** The image of the instances that run TypeScript by themselves: the jobs, and the tasks of the components. */
export const jobsImage = "jobs";

/** An image that instances of a stack run. */
export interface InstanceImage {
  readonly name: string;
  /** What is in it: complete only once the program has asked for everything. */
  readonly content: Promise<ImageContent>;
  /** Its name with its tag, known without building it. */
  readonly reference: Promise<string>;
}

/**
 * Which image each instance of a stack runs, found from what it runs: a program in Node has the jobs' image, any other
 * the image of the first distribution that it names. An image holds all that its instances name, so what is in it, and
 * with it its tag, is known once the program has run to its end; Pulumi creates nothing before that.
 */
export class InstanceImages {
  readonly java = javaProgram;
  readonly node = nodeProgram;
  /** The user of the images, and its group. */
  readonly user = userId;
  /** Where they come from and what they are called. */
  readonly settings: ImageSettings;
  readonly #programs = new Set<string>();
  readonly #images = new Map<string, { image: InstanceImage; distributions: Map<string, Distribution> }>();
  #sealed = false;

  /** @throws {TypeError} if an upstream image is given for a system that cannot run from one */
  constructor(settings: ImageSettings) {
    this.settings = settings;
    for (const system of Object.keys(settings.upstream ?? {})) upstreamLinks(system);
  }

  /** The path of the distribution's folder in a container. */
  directory(distribution: Distribution): string {
    return distributionFolder(distribution.name);
  }

  /**
   * The path of a program in a container of the jobs' image, which it thereby becomes a part of.
   *
   * @see {@link import("../../target.ts").Target.program}
   */
  program(entry: string, application?: string): string {
    const file = bundleProgram({ entry, ...(application !== undefined && { application }) });
    if (this.#sealed && !this.#programs.has(file))
      throw new Error(`${entry} is asked for after the images were chosen: ask for it before, not in an apply`);
    this.#programs.add(file);
    return `${programsFolder}/${basename(file)}`;
  }

  /**
   * The image of an instance.
   *
   * @throws {TypeError} if nothing tells which one
   */
  imageOf(
    identity: InstanceIdentity,
    command: readonly string[],
    distributions: readonly Distribution[] = [],
  ): InstanceImage {
    const name = command[0] === nodeProgram ? jobsImage : distributions[0]?.name;
    if (name === undefined)
      throw new TypeError(
        `${instanceName(identity)}: neither is its command a program in Node nor does it name a distribution, so there is no image for it`,
      );
    const entry = this.#images.get(name) ?? this.#add(name);
    for (const distribution of distributions) entry.distributions.set(distribution.name, distribution);
    return entry.image;
  }

  /** The name of the image of an instance, see {@link imageOf}. */
  image(
    identity: InstanceIdentity,
    command: readonly string[],
    distributions: readonly Distribution[],
  ): Promise<string> {
    return this.imageOf(identity, command, distributions).reference;
  }

  /** All images, by name: to be asked for when the program has run to its end. */
  all(): InstanceImage[] {
    const images = [...this.#images.values()].map(({ image }) => image);
    return images.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #add(name: string) {
    const distributions = new Map<string, Distribution>();
    const upstream = this.settings.upstream?.[name];
    const content = this.#whenAsked().then((): ImageContent => {
      const all = [...distributions.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
      return {
        name,
        distributions: all,
        node: name === jobsImage || all.some(({ runsPrograms = false }) => runsPrograms),
        programs: name === jobsImage ? [...this.#programs].sort() : [],
        ...(upstream !== undefined && { upstream }),
      };
    });
    const reference = content.then((known) => imageReference(known, this.settings, distributionDigest));
    const entry = { image: { name, content, reference }, distributions };
    this.#images.set(name, entry);
    return entry;
  }

  /** Resolves once the program has asked for all of its instances. */
  async #whenAsked(): Promise<void> {
    await programsTurn();
    this.#sealed = true;
  }
}
