import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { AwsInputs } from "./arguments.ts";
import type { PolicyDocument } from "./policies.ts";
import { tagsOf } from "./tags.ts";

/** What every resource of the target is made with. */
export interface Account {
  /** What the names of all resources begin with. */
  readonly name: string;
  readonly options: pulumi.CustomResourceOptions & { readonly provider: aws.Provider };
  /** Likewise of resources that keep data. */
  readonly dataOptions: pulumi.CustomResourceOptions & { readonly provider: aws.Provider };
  readonly accountId: pulumi.Output<string>;
}

/** The account and region that the provider's credentials are for. */
export function createAccount(name: string, parent: pulumi.Resource, inputs: AwsInputs): Account {
  const region = inputs.region as aws.Region;
  const { account } = inputs;
  const provider = new aws.Provider(
    name,
    { region, ...(account !== undefined && { allowedAccountIds: [account] }) },
    { parent },
  );
  const options = { parent, provider };
  return {
    name,
    options,
    dataOptions: { ...options, protect: inputs.protect, retainOnDelete: !inputs.deleteData },
    accountId:
      account === undefined ? aws.getCallerIdentityOutput({}, { provider, parent }).accountId : pulumi.output(account),
  };
}

/** A role with one policy of its own, or none. */
export function createRole(
  { options }: Pick<Account, "options">,
  inputs: AwsInputs,
  args: {
    readonly name: string;
    readonly component: string;
    readonly trust: pulumi.Input<PolicyDocument>;
    readonly policy?: pulumi.Input<PolicyDocument>;
    /** AWS's own policies, by name. */
    readonly managedPolicies?: readonly string[];
  },
): { readonly role: aws.iam.Role; readonly policies: readonly pulumi.Resource[] } {
  const { name, component, trust, policy, managedPolicies = [] } = args;
  const role = new aws.iam.Role(
    name,
    { assumeRolePolicy: json(trust), tags: tagsOf(inputs, component, name) },
    options,
  );
  return {
    role,
    policies: [
      ...(policy === undefined
        ? []
        : [new aws.iam.RolePolicy(name, { role: role.name, policy: json(policy) }, options)]),
      ...managedPolicies.map(
        (managed) =>
          new aws.iam.RolePolicyAttachment(
            `${name}-${managed.split("/").at(-1)}`,
            { role: role.name, policyArn: `arn:aws:iam::aws:policy/${managed}` },
            options,
          ),
      ),
    ],
  };
}

/** A document as AWS takes it. */
export function json(document: pulumi.Input<PolicyDocument>): pulumi.Output<string> {
  return pulumi.output(document).apply((known) => JSON.stringify(known));
}
