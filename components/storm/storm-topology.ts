import * as pulumi from "@pulumi/pulumi";
import { InputErrors } from "../input-errors.ts";
import { modulePath } from "../module-path.ts";
import type { File, InstanceIdentity, Target } from "../target.ts";
import { clientConfiguration, topologyDefinition } from "./configuration.ts";
import type { FluxTopology } from "./flux.ts";
import { stormDistribution } from "./storm-cluster.ts";

/** The program that submits or kills a topology. */
const deployProgram = modulePath("./deploy-topology.ts", import.meta.url);

/** The arguments of a {@link StormTopology}. */
export interface StormTopologyArgs {
  /** The addresses of the Nimbus servers, see `StormCluster.nimbusSeeds`. */
  readonly nimbusSeeds: pulumi.Input<string[]>;
  /** The spouts, bolts and streams. */
  readonly definition: FluxTopology;
  /**
   * What the names of topologies that take each other's place begin with; a hyphen and the eight hexadecimal digits of a
   * hash follow. When one is submitted while
   * several others of the family run, only the one that has run the longest goes on beside it: the others were to take its
   * place and never did, and would hold the workers that this one needs.
   *
   * @default none: others are left alone
   */
  readonly family?: string;
  /**
   * The files that shell components find in their working directory, by name: an absolute path of a program, see
   * `Target.program`, or a content.
   *
   * @default none
   */
  readonly resources?: Readonly<Record<string, string | File>>;
}

/**
 * A topology on a `StormCluster`, submitted with Flux under the component's name. A change of its definition or
 * resources replaces the running topology; deleting the component kills it.
 *
 * ```ts
 * new StormTopology("hello", {
 *   target,
 *   nimbusSeeds: storm.nimbusSeeds,
 *   definition: {
 *     config: { "topology.workers": 1 },
 *     spouts: [shellSpout({ id: "numbers", command: [target.node, "numbers.mjs"], fields: ["number"] })],
 *     bolts: [shellBolt({ id: "printer", command: [target.node, "printer.mjs"] })],
 *     streams: [{ from: "numbers", to: "printer", grouping: { type: "SHUFFLE" } }],
 *   },
 *   resources: { "numbers.mjs": target.program(numbers), "printer.mjs": target.program(printer) },
 * }, { dependsOn: [storm] });
 * ```
 */
export class StormTopology extends pulumi.ComponentResource {
  /** The topology's name in Storm. */
  readonly topologyName: pulumi.Output<string>;

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(name: string, args: StormTopologyArgs & { target: Target }, opts?: pulumi.ComponentResourceOptions) {
    const { target, ...inputs } = args;
    checkArgs(name, args);
    super("lambda-architecture:index:StormTopology", name, inputs, opts);

    createSubmission(this, name, args);

    this.topologyName = pulumi.output(name);
    this.registerOutputs({ topologyName: this.topologyName });
  }
}

function checkArgs(name: string, args: StormTopologyArgs): void {
  const errors = new InputErrors(`StormTopology ${JSON.stringify(name)}`);
  errors.check(
    /^[^/.:\\]+$/.test(name),
    "name",
    "must not contain / . : or \\, which Storm forbids in a topology's name",
  );
  for (const [file, resource] of Object.entries(args.resources ?? {})) {
    errors.check(!file.includes("/"), `resources[${JSON.stringify(file)}]`, "must be a name without folders");
    errors.check(
      typeof resource !== "string" || resource.startsWith("/"),
      `resources[${JSON.stringify(file)}]`,
      "must be an absolute path, or {content}",
    );
  }
  errors.throwIfAny();
}

function createSubmission(
  parent: pulumi.Resource,
  name: string,
  { target, nimbusSeeds, definition, family, resources = {} }: StormTopologyArgs & { target: Target },
): pulumi.Resource {
  const identity: InstanceIdentity = { component: name, role: "submission" };
  const placement = target.placement(identity);
  const command = [
    target.node,
    target.program(deployProgram),
    `--name=${name}`,
    `--java=${target.java}`,
    `--storm=${target.directory(stormDistribution)}`,
    `--configuration=${placement.configuration}`,
  ];
  const paths = Object.entries(resources).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const contents = Object.entries(resources).filter((entry): entry is [string, File] => typeof entry[1] !== "string");
  return target.task(
    {
      identity,
      command: [
        ...command,
        ...(family === undefined ? [] : [`--family=${family}`]),
        ...paths.map(([file, path]) => `--resource=${file}=${path}`),
      ],
      checkCommand: [...command, "--check"],
      deleteCommand: [...command, "--kill"],
      files: {
        "storm.yaml": { content: pulumi.output(nimbusSeeds).apply(clientConfiguration) },
        "topology.yaml": { content: topologyDefinition(name, definition) },
        ...Object.fromEntries(contents.map(([file, content]) => [`resources/${file}`, content])),
      },
      distributions: [stormDistribution],
      timeout: 180,
    },
    { parent },
  );
}
