import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import {
  type DataAccess,
  type Distribution,
  type InstanceIdentity,
  instanceName,
  type ManagedServices,
  type Placement,
  type ScheduleArgs,
  type ServicesArgs,
  type Target,
  type TaskArgs,
} from "../../target.ts";
import type { InstanceImages } from "../container/instance-images.ts";
import { createKubernetesTarget, type KubernetesTarget } from "../kubernetes/index.ts";
import { type Account, createAccount, createRole } from "./account.ts";
import { type AwsInputs, type AwsTargetArgs, withDefaults } from "./arguments.ts";
import { createBucket } from "./bucket.ts";
import { type Cluster, createCluster } from "./cluster.ts";
import { createKafka, kafkaPort } from "./kafka.ts";
import { createNetwork, type Network } from "./network.ts";
import { accessPolicy, podPolicy } from "./policies.ts";
import { createRepositories } from "./repositories.ts";
import { tagsOf } from "./tags.ts";

/** Where EKS gives pods their roles. */
const podIdentityAgent = "169.254.170.23/32";

/**
 * Runs servers on Amazon EKS, with Kafka as a cluster of Amazon MSK and the master dataset in a bucket of S3, in a
 * network without a way to the internet. A program gets a role of its own, which may do what the program says that it
 * does with topics and folders, and nothing else.
 */
export class AwsTarget extends pulumi.ComponentResource implements Target {
  readonly name = "aws";
  readonly managed: ManagedServices;
  /** The name of the Kubernetes cluster. */
  readonly clusterName: pulumi.Output<string>;
  readonly #inputs: AwsInputs;
  readonly #account: Account;
  readonly #network: Network;
  readonly #key: aws.kms.Key;
  readonly #cluster: Cluster;
  readonly #kubernetes: KubernetesTarget;
  readonly #bucketArns: pulumi.Output<string>[] = [];
  readonly #kafkaArns: pulumi.Output<string>[] = [];

  /** @throws {pulumi.InputPropertiesError} naming every argument that is wrong */
  constructor(args: AwsTargetArgs, opts?: pulumi.ComponentResourceOptions) {
    const inputs = withDefaults(args);
    const name = `${inputs.project}-${inputs.stack}`;
    super("lambda-architecture:index:AwsTarget", name, { region: inputs.region, size: inputs.size ?? "tiny" }, opts);
    this.#inputs = inputs;
    this.#account = createAccount(name, this, inputs);
    this.#key = createKey(this.#account, inputs);
    this.#network = inputs.network ?? createNetwork(this.#account, inputs);
    this.#cluster = createCluster(this.#account, inputs, this.#network, this.#key.arn);
    createRepositories(this.#account, inputs, this.#key.arn);
    this.#kubernetes = createKubernetesTarget({
      ...inputs.kubernetes,
      project: inputs.project,
      stack: inputs.stack,
      ...(inputs.images && { images: inputs.images }),
      provider: this.#cluster.provider,
      storageClass: this.#cluster.storageClass,
      egress: [...waysOut(this.#network), ...(inputs.kubernetes?.egress ?? [])],
      protect: inputs.protect,
      deleteData: inputs.deleteData,
    });
    this.managed = {
      bucket: (bucketName, { parent }) => {
        const bucket = createBucket(this.#account, inputs, bucketName, this.#key.arn, parent);
        this.#bucketArns.push(bucket.arn);
        return { bucket: bucket.bucket, region: pulumi.output(inputs.region) };
      },
      kafka: (kafkaName, kafkaArgs, { parent }) => {
        const kafka = createKafka(
          ...([this.#account, inputs, this.#network, this.#key.arn] as const),
          ...([kafkaName, kafkaArgs, parent] as const),
        );
        this.#kafkaArns.push(kafka.arn);
        return kafka;
      },
    };
    this.clusterName = this.#cluster.name;
    this.registerOutputs({ clusterName: this.clusterName });
  }

  /** The images that its pods run. */
  get images(): InstanceImages {
    return this.#kubernetes.images;
  }

  get java(): string {
    return this.#kubernetes.java;
  }

  get node(): string {
    return this.#kubernetes.node;
  }

  placement(identity: InstanceIdentity): Placement {
    return this.#kubernetes.placement(identity);
  }

  published(identity: InstanceIdentity, port: number): string {
    return this.#kubernetes.published(identity, port);
  }

  commandIn(identity: InstanceIdentity, command: readonly string[]): string[] {
    return this.#kubernetes.commandIn(identity, command);
  }

  directory(distribution: Distribution): string {
    return this.#kubernetes.directory(distribution);
  }

  program(entry: string, application?: string): string {
    return this.#kubernetes.program(entry, application);
  }

  services(args: ServicesArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource[] {
    const [first] = args.replicas;
    return this.#kubernetes.services(args, first === undefined ? opts : this.#withRole(first, opts));
  }

  task(args: TaskArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    return this.#kubernetes.task(args, this.#withRole(args, opts));
  }

  schedule(args: ScheduleArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    return this.#kubernetes.schedule(args, this.#withRole(args, opts));
  }

  /** Gives the program's service account a role for what it does, before its pods start. */
  #withRole(
    { identity, access }: { readonly identity: InstanceIdentity; readonly access?: DataAccess },
    opts: pulumi.CustomResourceOptions,
  ): pulumi.CustomResourceOptions {
    if (access === undefined) return opts;
    // All replicas of a role have one service account, of this name.
    const workload = instanceName({ component: identity.component, role: identity.role });
    const { namespace } = this.#kubernetes;
    const options = { ...this.#account.options, ...(opts.parent && { parent: opts.parent }) };
    const resources = pulumi
      .all([pulumi.all(this.#bucketArns), pulumi.all(this.#kafkaArns), this.#key.arn])
      .apply(([bucketArns, kafkaArns, keyArn]) => ({ bucketArns, kafkaArns, keyArn }));
    const { role, policies } = createRole({ options }, this.#inputs, {
      name: `${this.#account.name}-${workload}`,
      component: identity.component,
      trust: pulumi
        .all([this.#account.accountId, this.#cluster.arn])
        .apply(([accountId, clusterArn]) => podPolicy(accountId, clusterArn, namespace, workload)),
      policy: resources.apply((known) => accessPolicy(access, known)),
    });
    const association = new aws.eks.PodIdentityAssociation(
      workload,
      {
        ...{ clusterName: this.#cluster.name, namespace, serviceAccount: workload, roleArn: role.arn },
        tags: tagsOf(this.#inputs, identity.component, workload),
      },
      { ...options, dependsOn: [...policies] },
    );
    return { ...opts, dependsOn: pulumi.output(opts.dependsOn).apply((others) => [others ?? [], association].flat()) };
  }
}

/** The key of all data: topics, objects, images and the cluster's secrets. */
function createKey({ name, dataOptions, options }: Account, inputs: AwsInputs): aws.kms.Key {
  const key = new aws.kms.Key(
    name,
    {
      description: `Data of ${name}`,
      enableKeyRotation: true,
      deletionWindowInDays: 30,
      tags: tagsOf(inputs, "encryption", name),
    },
    // What it has encrypted is lost with it.
    dataOptions,
  );
  new aws.kms.Alias(name, { name: `alias/${name}`, targetKeyId: key.id }, options);
  return key;
}

/** Where pods may call outside of the cluster. */
function waysOut({ cidrBlock }: Network) {
  const to = (cidr: pulumi.Input<string>, port: number) => ({
    to: [{ ipBlock: { cidr } }],
    ports: [{ protocol: "TCP", port }],
  });
  return [
    to(podIdentityAgent, 80),
    to(cidrBlock, kafkaPort),
    // S3's addresses are many and change; the network has no way to any others.
    to("0.0.0.0/0", 443),
  ];
}
