import type { PolicyResource, ResourceValidationPolicy, StackValidationPolicy } from "@pulumi/policy";

const bucket = "aws:s3/bucket:Bucket";
const publicAccessBlock = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
const bucketEncryption = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration";

/** The buckets that no resource of this type, that `holds`, belongs to. */
function bucketsWithout(
  resources: readonly PolicyResource[],
  type: string,
  holds: (props: PolicyResource["props"]) => boolean,
): PolicyResource[] {
  const settings = resources.filter((resource) => resource.type === type && holds(resource.props));
  return resources.filter(
    (each) =>
      each.type === bucket &&
      !settings.some(
        ({ props, dependencies }) =>
          props.bucket === each.props.bucket || dependencies.some(({ urn }) => urn === each.urn),
      ),
  );
}

/** A bucket's public access is blocked in all four ways, and no access list of its own opens it. */
export const noPublicBucket: StackValidationPolicy = {
  name: "no-public-bucket",
  description: "Buckets block public access.",
  validateStack: ({ resources }, report) => {
    const isClosed = (props: PolicyResource["props"]) =>
      [props.blockPublicAcls, props.blockPublicPolicy, props.ignorePublicAcls, props.restrictPublicBuckets].every(
        (value) => value === true,
      );
    for (const { urn, name } of bucketsWithout(resources, publicAccessBlock, isClosed))
      report(`The bucket ${name} has no BucketPublicAccessBlock that sets all four of its properties to true.`, urn);
    for (const { type, props, urn, name } of resources)
      if (/^aws:s3\/bucket(Acl)?:/.test(type) && /^public-/.test(props.acl ?? ""))
        report(`${name} has the access list ${props.acl}; take it out.`, urn);
  },
};

/** No rule lets in the whole internet. */
export const noOpenSecurityGroup: ResourceValidationPolicy = {
  name: "no-open-security-group",
  description: "Security groups let nobody in from everywhere.",
  validateResource: ({ type, props }, report) => {
    for (const { cidrBlocks = [], ipv6CidrBlocks = [], cidrIpv4, cidrIpv6 } of ingressRules(type, props)) {
      for (const range of [...cidrBlocks, ...ipv6CidrBlocks, cidrIpv4, cidrIpv6])
        if (range === "0.0.0.0/0" || range === "::/0")
          report(`It lets in ${range}; name a smaller range or another security group.`);
    }
  },
};

interface IngressRule {
  readonly cidrBlocks?: readonly string[];
  readonly ipv6CidrBlocks?: readonly string[];
  readonly cidrIpv4?: string;
  readonly cidrIpv6?: string;
}

function ingressRules(type: string, props: PolicyResource["props"]): readonly IngressRule[] {
  switch (type) {
    case "aws:ec2/securityGroup:SecurityGroup":
    case "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":
      return props.ingress ?? [];
    case "aws:ec2/securityGroupRule:SecurityGroupRule":
      return props.type === "ingress" ? [props] : [];
    case "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule":
      return [props];
    default:
      return [];
  }
}

/** What is stored and what is sent is encrypted. */
export const encryption: StackValidationPolicy = {
  name: "encryption",
  description: "Buckets, brokers, volumes and Kubernetes secrets are encrypted, and so is the way to the brokers.",
  validateStack: ({ resources }, report) => {
    for (const { urn, name, props } of bucketsWithout(resources, bucketEncryption, ({ rules }) => rules?.length > 0))
      if (props.serverSideEncryptionConfiguration === undefined)
        report(`The bucket ${name} has no BucketServerSideEncryptionConfiguration.`, urn);
    for (const { type, props, urn, name } of resources)
      for (const problem of encryptionProblems(type, props)) report(`${name} ${problem}`, urn);
  },
};

function encryptionProblems(type: string, props: PolicyResource["props"]): string[] {
  switch (type) {
    case "aws:msk/cluster:Cluster": {
      const { encryptionAtRestKmsKeyArn, encryptionInTransit } = props.encryptionInfo ?? {};
      return [
        ...(encryptionAtRestKmsKeyArn === undefined
          ? ["names no key in encryptionInfo.encryptionAtRestKmsKeyArn."]
          : []),
        ...(encryptionInTransit?.clientBroker === "TLS" ? [] : ["must set encryptionInTransit.clientBroker to TLS."]),
        ...(encryptionInTransit?.inCluster === false ? ["must leave encryptionInTransit.inCluster on."] : []),
      ];
    }
    case "aws:eks/cluster:Cluster":
      return props.encryptionConfig?.provider?.keyArn === undefined ? ["has no encryptionConfig for its secrets."] : [];
    case "aws:ebs/volume:Volume":
      return props.encrypted === true ? [] : ["must set encrypted to true."];
    case "aws:ec2/launchTemplate:LaunchTemplate":
      return (props.blockDeviceMappings ?? [])
        .filter(
          ({ ebs }: { ebs?: { encrypted?: string | boolean } }) => ebs !== undefined && `${ebs.encrypted}` !== "true",
        )
        .map(() => "must set ebs.encrypted to true on all of its volumes.");
    default:
      return [];
  }
}

/** The tags by which a bill or a person finds what something belongs to. */
const wantedTags = ["project", "stack", "component"];

/** What AWS lets be tagged, of what the project creates. */
const tagged = new RegExp(
  `^aws:(${[
    "s3/bucket:",
    "kms/key:",
    "msk/(cluster|configuration):",
    "eks/(cluster|nodeGroup|addon|podIdentityAssociation):",
    "ecr/repository:",
    "ec2/(vpc|subnet|securityGroup|vpcEndpoint|routeTable|natGateway|eip|launchTemplate|internetGateway):",
    "iam/(role|policy|openIdConnectProvider):",
    "cloudwatch/logGroup:",
    "secretsmanager/secret:",
  ].join("|")})`,
);

/** Everything that can be is tagged by project, stack and component. */
export const tagsPresent: ResourceValidationPolicy = {
  name: "tags-present",
  description: "AWS resources carry the tags project, stack and component.",
  validateResource: ({ type, props }, report) => {
    // The AWS msk configuration and a policy attachment have no tags of their own.
    if (!tagged.test(type) || type === "aws:msk/configuration:Configuration") return;
    const missing = wantedTags.filter((tag) => !(props.tags?.[tag] ?? props.tagsAll?.[tag]));
    if (missing.length > 0) report(`Set the tags ${missing.join(", ")}.`);
  },
};
