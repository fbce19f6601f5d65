import { describe, expect, test } from "vitest";
import {
  archiverAccess,
  batchAccess,
  historyAccess,
  recomputationAccess,
  servingAccess,
  speedAccess,
  tasksAccess,
} from "../../../../components/jobs/access.ts";
import type { DataAccess } from "../../../../components/target.ts";
import { accessPolicy, bucketPolicy, podPolicy, servicePolicy } from "../../../../components/targets/aws/policies.ts";

const names = {
  topic: "edits",
  deadLetterTopic: "edits-dead",
  masterDataset: "/master",
  openChunks: "/open",
  batchViews: "/batch",
};
const bucket = "arn:aws:s3:::events";
const keyArn = "arn:aws:kms:eu-central-1:1:key/k";
const kafka = "arn:aws:kafka:eu-central-1:1:cluster/log/u-1";
const topic = (name: string) => `arn:aws:kafka:eu-central-1:1:topic/log/u-1/${name}`;

/** The policy's statements in short: what may be done with what. */
function allowed(access: DataAccess): Record<string, string[]> {
  const { Statement } = accessPolicy(access, { bucketArns: [bucket], keyArn, kafkaArns: [kafka] });
  return Object.fromEntries(
    Statement.map(({ Sid, Effect, Action, Resource, Condition }) => {
      expect(Effect).toBe("Allow");
      const prefixes = Condition?.StringLike?.["s3:prefix"];
      return [
        Sid,
        [
          ...[Action].flat(),
          "on",
          ...[Resource ?? []].flat(),
          ...(prefixes === undefined ? [] : ["under", ...[prefixes].flat()]),
        ],
      ];
    }),
  );
}

const connect = ["kafka-cluster:Connect", "on", kafka];
const read = ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"];
const write = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"];

describe("a role may do what its program does:", () => {
  test("the archiver adds, deletes nothing but parts and old records, and does not touch the output of batch runs", () => {
    expect(allowed(archiverAccess(names))).toEqual({
      Connect: ["kafka-cluster:Connect", "kafka-cluster:WriteDataIdempotently", "on", kafka],
      Topic0: ["kafka-cluster:DeleteTopic", ...read, "kafka-cluster:WriteData", "on", topic("edits")],
      Topic1: [...read, "kafka-cluster:WriteData", "on", topic("edits-dead")],
      List0: ["s3:ListBucket", "on", bucket, "under", "master", "master/*"],
      Unfinished0: ["s3:ListBucketMultipartUploads", "on", bucket],
      Objects0: [write[0], "s3:GetObject", write[1], "on", `${bucket}/master`, `${bucket}/master/*`],
      Add0: [write[2], "on", `${bucket}/master`, `${bucket}/master/*`],
      Parts0: [write[2], "on", `${bucket}/master`, `${bucket}/master/*`],
      List1: ["s3:ListBucket", "on", bucket, "under", "open", "open/*"],
      Unfinished1: ["s3:ListBucketMultipartUploads", "on", bucket],
      Objects1: [
        ...[write[0], "s3:DeleteObject", "s3:GetObject", write[1], write[2]],
        ...["on", `${bucket}/open`, `${bucket}/open/*`],
      ],
      Key: ["kms:Decrypt", "kms:GenerateDataKey", "on", keyArn],
    });
  });

  test("nobody's right to write the master dataset includes to replace what is there", () => {
    const accesses = [archiverAccess, servingAccess, speedAccess, batchAccess, recomputationAccess, tasksAccess].map(
      (access) => access(names),
    );
    const statements = accesses.flatMap(
      (access) => accessPolicy(access, { bucketArns: [bucket], keyArn, kafkaArns: [kafka] }).Statement,
    );
    const puts = statements.filter(
      ({ Action, Resource }) =>
        [Action].flat().includes("s3:PutObject") &&
        [Resource ?? []]
          .flat()
          .some((resource) => resource.startsWith(`${bucket}/master`) || resource === `${bucket}/*`),
    );
    // With the header, with which S3 refuses to replace; or what makes no object, as the parts of an upload.
    const rights = [{ Null: { "s3:if-none-match": "false" } }, { Bool: { "s3:ObjectCreationOperation": "false" } }];
    // The archiver's, and a batch run's, which notes accepted losses.
    expect(puts.map(({ Condition }) => Condition)).toEqual([...rights, ...rights]);
    const deletes = statements.filter(({ Action }) => [Action].flat().includes("s3:DeleteObject"));
    for (const { Resource } of deletes) expect(JSON.stringify(Resource)).not.toContain("/master");
  });

  test("the serving layer looks, and reads nothing", () => {
    expect(allowed(servingAccess(names))).toEqual({
      Connect: connect,
      Topic0: ["kafka-cluster:DescribeTopic", "on", topic("edits")],
      Topic1: ["kafka-cluster:DescribeTopic", "on", topic("edits-dead")],
      List0: ["s3:ListBucket", "on", bucket, "under", "master", "master/*"],
    });
  });

  test("the speed layer reads events", () => {
    expect(allowed(speedAccess(names))).toEqual({ Connect: connect, Topic0: [...read, "on", topic("edits")] });
  });

  test("a batch run reads events, notes losses, closes chunks, and clears up output", () => {
    const { Objects1, Objects2, Objects3, ...others } = allowed(batchAccess(names));
    expect(Objects1).toEqual([
      ...[write[0], "s3:GetObject", write[1]],
      ...["on", `${bucket}/master`, `${bucket}/master/*`],
    ]);
    expect(Objects2).toEqual(["s3:GetObject", "on", `${bucket}/open`, `${bucket}/open/*`]);
    expect(Objects3).toEqual(["s3:DeleteObject", "s3:GetObject", "on", `${bucket}/batch`, `${bucket}/batch/*`]);
    expect(others.List0).toEqual(["s3:ListBucket", "on", bucket]);
    expect(others.Topic0).toEqual([...read, "kafka-cluster:WriteData", "on", topic("edits")]);
    expect(Object.keys(others)).toEqual([
      ...["Connect", "Topic0", "List0", "Unfinished1", "Add1", "Parts1", "List4", "Unfinished4", "Objects4", "Key"],
    ]);
  });

  test("its tasks write output, and never into the master dataset", () => {
    const { Objects1, Objects2, Objects3 } = allowed(tasksAccess(names));
    expect(Objects1).toEqual(["s3:GetObject", "on", `${bucket}/master`, `${bucket}/master/*`]);
    expect(Objects2).toEqual(["s3:GetObject", "on", `${bucket}/open`, `${bucket}/open/*`]);
    expect(Objects3).toEqual([
      ...[write[0], "s3:DeleteObject", "s3:GetObject", write[1], write[2]],
      ...["on", `${bucket}/batch`, `${bucket}/batch/*`],
    ]);
  });

  test("the history server has the jobs' files alone", () => {
    const objects = Object.entries(allowed(historyAccess)).filter(([sid]) => sid.startsWith("Objects"));
    expect(objects.map(([, what]) => what.slice(what.indexOf("on") + 1))).toEqual([
      [`${bucket}/tmp`, `${bucket}/tmp/*`],
    ]);
  });

  test("the topics' task makes topics and does not read them", () => {
    expect(allowed({ topics: [{ name: "edits", operations: ["manage"] }] })).toEqual({
      Connect: ["kafka-cluster:Connect", "kafka-cluster:DescribeCluster", "on", kafka],
      Topic0: [
        "kafka-cluster:AlterTopic",
        "kafka-cluster:AlterTopicDynamicConfiguration",
        "kafka-cluster:CreateTopic",
        "kafka-cluster:DescribeTopic",
        "kafka-cluster:DescribeTopicDynamicConfiguration",
        ...["on", topic("edits")],
      ],
    });
  });
});

test("no role may do everything, or anything with everything", () => {
  const every = [archiverAccess, servingAccess, speedAccess, batchAccess, tasksAccess].map((access) => access(names));
  for (const access of [...every, historyAccess])
    for (const what of Object.values(allowed(access))) {
      const split = what.indexOf("on");
      for (const action of what.slice(0, split)) expect(action).not.toContain("*");
      for (const resource of what.slice(split + 1)) expect(resource).not.toMatch(/^(\*|arn:aws:s3:::events\/\*)$/);
    }
});

test("where the target manages nothing, there is nothing to do", () => {
  expect(accessPolicy(archiverAccess(names), { bucketArns: [], keyArn, kafkaArns: [] }).Statement).toEqual([]);
});

test("a pod's role is for the pods of one account in one namespace of one cluster", () => {
  expect(podPolicy("1", "arn:aws:eks:eu-central-1:1:cluster/c", "space", "lambda-archiver").Statement).toEqual([
    {
      Sid: "Pod",
      Effect: "Allow",
      Principal: { Service: "pods.eks.amazonaws.com" },
      Action: ["sts:AssumeRole", "sts:TagSession"],
      Condition: {
        StringEquals: {
          "aws:SourceAccount": "1",
          "aws:RequestTag/kubernetes-namespace": "space",
          "aws:RequestTag/kubernetes-service-account": "lambda-archiver",
        },
        ArnEquals: { "aws:SourceArn": "arn:aws:eks:eu-central-1:1:cluster/c" },
      },
    },
  ]);
  expect(servicePolicy("eks.amazonaws.com").Statement).toMatchObject([{ Principal: { Service: "eks.amazonaws.com" } }]);
});

test("the bucket refuses everybody without TLS, and other keys", () => {
  const { Statement } = bucketPolicy(bucket, keyArn);
  expect(Statement).toMatchObject([
    {
      ...{ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: [bucket, `${bucket}/*`] },
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
    {
      ...{ Effect: "Deny", Principal: "*", Action: "s3:PutObject", Resource: `${bucket}/*` },
      Condition: { StringNotEqualsIfExists: { "s3:x-amz-server-side-encryption-aws-kms-key-id": keyArn } },
    },
  ]);
});
