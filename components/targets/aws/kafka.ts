import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { KafkaConnection } from "../../../jobs/kafka/connection.ts";
import { InputErrors } from "../../input-errors.ts";
import type { ManagedKafka, ManagedKafkaArgs } from "../../target.ts";
import type { Account } from "./account.ts";
import type { AwsInputs } from "./arguments.ts";
import type { Network } from "./network.ts";
import { tagsOf } from "./tags.ts";

/** Where clients with a role of AWS call the brokers. */
export const kafkaPort = 9098;

/** A cluster's settings, as Kafka's documentation has them. */
export function kafkaProperties(brokers: number): string {
  // With three brokers, one may be lost without losing an acknowledged record; with two, without losing any service
  // only if one copy is enough to go on.
  const properties = {
    "auto.create.topics.enable": false,
    "default.replication.factor": Math.min(3, brokers),
    "min.insync.replicas": brokers >= 3 ? 2 : 1,
    "num.partitions": 1,
    "log.retention.hours": 168,
    "unclean.leader.election.enable": false,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/**
 * A cluster of Amazon MSK: TLS, and roles of AWS instead of passwords.
 *
 * @throws {pulumi.InputPropertiesError} naming component and argument, if MSK cannot honour it
 */
export function createKafka(
  account: Account,
  inputs: AwsInputs,
  network: Network,
  keyArn: pulumi.Input<string>,
  name: string,
  args: ManagedKafkaArgs,
  parent: pulumi.Resource | undefined,
): ManagedKafka & { readonly arn: pulumi.Output<string> } {
  const { kafka, zones } = inputs.sizing;
  const { replicas = kafka.brokers } = args;
  checkArgs(name, args, zones);
  const options = { ...account.options, ...(parent && { parent }) };
  const tags = tagsOf(inputs, name);
  const callers = new aws.ec2.SecurityGroup(
    name,
    {
      vpcId: network.vpcId,
      description: "Calls to the Kafka brokers from inside of the network",
      ingress: [
        {
          ...{ protocol: "tcp", fromPort: kafkaPort, toPort: kafkaPort },
          ...{ cidrBlocks: [network.cidrBlock], description: "Kafka over TLS" },
        },
        { protocol: "-1", fromPort: 0, toPort: 0, self: true, description: "The brokers among themselves" },
      ],
      tags,
    },
    options,
  );
  const configuration = new aws.msk.Configuration(
    name,
    {
      name: `${account.name}-${name}`,
      kafkaVersions: [inputs.kafkaVersion],
      serverProperties: kafkaProperties(replicas),
    },
    options,
  );
  const logs = new aws.cloudwatch.LogGroup(
    name,
    { name: `/aws/msk/${account.name}-${name}`, retentionInDays: inputs.logDays, tags },
    options,
  );
  const cluster = new aws.msk.Cluster(
    name,
    {
      clusterName: `${account.name}-${name}`,
      kafkaVersion: inputs.kafkaVersion,
      numberOfBrokerNodes: replicas,
      brokerNodeGroupInfo: {
        instanceType: kafka.instanceType,
        clientSubnets: network.subnetIds.slice(0, zones),
        securityGroups: [callers.id],
        storageInfo: { ebsStorageInfo: { volumeSize: kafka.volume } },
      },
      configurationInfo: { arn: configuration.arn, revision: configuration.latestRevision },
      clientAuthentication: { sasl: { iam: true }, unauthenticated: false },
      encryptionInfo: {
        encryptionAtRestKmsKeyArn: keyArn,
        encryptionInTransit: { clientBroker: "TLS", inCluster: true },
      },
      loggingInfo: { brokerLogs: { cloudwatchLogs: { enabled: true, logGroup: logs.name } } },
      tags,
    },
    { ...account.dataOptions, ...(parent && { parent }) },
  );
  return {
    resource: cluster,
    arn: cluster.arn,
    connection: cluster.bootstrapBrokersSaslIam.apply(
      (brokers): KafkaConnection => ({
        // In an order of its own each time it is asked.
        bootstrapServers: (brokers ?? "").split(",").sort(),
        authentication: { kind: "aws-iam", region: inputs.region },
      }),
    ),
  };
}

function checkArgs(name: string, { replicas, heap, cpu }: ManagedKafkaArgs, zones: number): void {
  const errors = new InputErrors(`KafkaCluster ${JSON.stringify(name)}`);
  for (const [property, given] of Object.entries({ heap, cpu }))
    errors.check(
      given === undefined,
      property,
      "must not be given on aws: MSK chooses it by the brokers' machines; choose a size instead",
    );
  errors.check(
    replicas === undefined || (replicas >= zones && replicas % zones === 0),
    "replicas",
    `must be a multiple of ${zones} on aws, the availability zones of the size; it is ${replicas}`,
  );
  errors.throwIfAny();
}
