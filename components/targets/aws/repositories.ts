import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Account } from "./account.ts";
import type { AwsInputs } from "./arguments.ts";
import { tagsOf } from "./tags.ts";

/** A repository in ECR for each image: a tag once given stays what it is, and every image is scanned. */
export function createRepositories(
  { name, options }: Account,
  inputs: AwsInputs,
  keyArn: pulumi.Input<string>,
): aws.ecr.Repository[] {
  return inputs.repositories.map(
    (repository) =>
      new aws.ecr.Repository(
        `${name}-${repository}`,
        {
          name: `${inputs.project}/${repository}`,
          imageTagMutability: "IMMUTABLE",
          imageScanningConfiguration: { scanOnPush: true },
          encryptionConfigurations: [{ encryptionType: "KMS", kmsKey: keyArn }],
          forceDelete: inputs.deleteData,
          tags: tagsOf(inputs, "images"),
        },
        options,
      ),
  );
}
