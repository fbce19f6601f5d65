import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { InputErrors } from "../../input-errors.ts";
import { type Account, json } from "./account.ts";
import type { AwsInputs } from "./arguments.ts";
import { bucketPolicy } from "./policies.ts";
import { tagsOf } from "./tags.ts";

/**
 * A bucket that nobody reaches from outside, with every version of every object, encrypted with the target's own key.
 *
 * @param parent the component that it is for
 */
export function createBucket(
  account: Account,
  inputs: AwsInputs,
  name: string,
  keyArn: pulumi.Input<string>,
  parent: pulumi.Resource | undefined,
): aws.s3.Bucket {
  const { deleteData, oldVersionDays, project, region, stack } = inputs;
  // An account's number has 12 digits.
  const { length } = [project, stack, name, "012345678901", region].join("-");
  const errors = new InputErrors(`S3Storage ${JSON.stringify(name)}`);
  errors.check(
    length <= 63,
    "name",
    `must be ${length - 63} characters shorter, or the project's or the stack's name, for a bucket's name to hold them all`,
  );
  errors.throwIfAny();
  const under = { ...(parent && { parent }) };
  const options = { ...account.options, ...under };
  const bucket = new aws.s3.Bucket(
    name,
    {
      // Bucket names are one space for everybody: the account's number keeps ours apart.
      bucket: pulumi.interpolate`${project}-${stack}-${name}-${account.accountId}-${region}`,
      forceDestroy: deleteData,
      tags: tagsOf(inputs, name),
    },
    { ...account.dataOptions, ...under },
  );
  // Unlike its id, its name is known before it is made, so that a preview tells it.
  const its = { bucket: bucket.bucket };
  new aws.s3.BucketVersioning(name, { ...its, versioningConfiguration: { status: "Enabled" } }, options);
  new aws.s3.BucketServerSideEncryptionConfiguration(
    name,
    {
      ...its,
      rules: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: keyArn },
          bucketKeyEnabled: true,
        },
      ],
    },
    options,
  );
  const closed = new aws.s3.BucketPublicAccessBlock(
    name,
    { ...its, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
    options,
  );
  new aws.s3.BucketOwnershipControls(name, { ...its, rule: { objectOwnership: "BucketOwnerEnforced" } }, options);
  new aws.s3.BucketPolicy(
    name,
    { ...its, policy: json(pulumi.all([bucket.arn, keyArn]).apply(([arn, key]) => bucketPolicy(arn, key))) },
    // Else AWS may refuse the two at once.
    { ...options, dependsOn: [closed] },
  );
  new aws.s3.BucketLifecycleConfiguration(
    name,
    {
      ...its,
      rules: [
        {
          id: "old-versions",
          status: "Enabled",
          filter: {},
          noncurrentVersionExpiration: { noncurrentDays: oldVersionDays },
          expiration: { expiredObjectDeleteMarker: true },
        },
        {
          id: "unfinished-uploads",
          status: "Enabled",
          filter: {},
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
        // What Hadoop leaves of jobs, beside what it deletes by itself.
        { id: "job-files", status: "Enabled", filter: { prefix: "tmp/" }, expiration: { days: 14 } },
      ],
    },
    options,
  );
  return bucket;
}
