import type { DataAccess } from "../../target.ts";

/** A statement of an IAM policy. */
export interface PolicyStatement {
  readonly Sid: string;
  readonly Effect: "Allow" | "Deny";
  readonly Principal?: string | Readonly<Record<string, string | readonly string[]>>;
  readonly Action: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** An IAM policy document. */
export interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly PolicyStatement[];
}

/** What the target manages, by its Amazon resource name. */
export interface ManagedResources {
  readonly bucketArns: readonly string[];
  /** The key that buckets are encrypted with. */
  readonly keyArn: string;
  readonly kafkaArns: readonly string[];
}

function policy(statements: readonly PolicyStatement[]): PolicyDocument {
  return { Version: "2012-10-17", Statement: statements };
}

/** The policy of a program's role: what it says that it does, with what the target manages. */
export function accessPolicy({ topics = [], folders = [] }: DataAccess, resources: ManagedResources): PolicyDocument {
  return policy([
    ...topicStatements(topics, resources.kafkaArns),
    ...folderStatements(folders, resources.bucketArns),
    ...keyStatements(folders, resources),
  ]);
}

/** MSK's names of what each operation does to a topic. */
const topicActions = {
  describe: ["kafka-cluster:DescribeTopic"],
  read: ["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"],
  write: ["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"],
  // Kafka's right to delete records is the one to delete their topic.
  trim: ["kafka-cluster:DeleteTopic", "kafka-cluster:DescribeTopic"],
  manage: [
    "kafka-cluster:AlterTopic",
    "kafka-cluster:AlterTopicDynamicConfiguration",
    "kafka-cluster:CreateTopic",
    "kafka-cluster:DescribeTopic",
    "kafka-cluster:DescribeTopicDynamicConfiguration",
  ],
} as const;

function topicStatements(
  topics: NonNullable<DataAccess["topics"]>,
  clusterArns: readonly string[],
): readonly PolicyStatement[] {
  if (topics.length === 0 || clusterArns.length === 0) return [];
  const operations = new Set(topics.flatMap((topic) => topic.operations));
  return [
    {
      Sid: "Connect",
      Effect: "Allow",
      Action: [
        "kafka-cluster:Connect",
        // Who creates topics asks how many brokers there are.
        ...(operations.has("manage") ? ["kafka-cluster:DescribeCluster"] : []),
        // Of the cluster, as MSK has it, though it is about one producer's records.
        ...(operations.has("write") ? ["kafka-cluster:WriteDataIdempotently"] : []),
      ],
      Resource: clusterArns,
    },
    ...topics.map(
      ({ name, operations }, index): PolicyStatement => ({
        Sid: `Topic${index}`,
        Effect: "Allow",
        Action: [...new Set(operations.flatMap((operation) => topicActions[operation]))].sort(),
        Resource: clusterArns.map((arn) => topicArn(arn, name)),
      }),
    ),
  ];
}

/** `…:cluster/name/uuid` has its topics at `…:topic/name/uuid/topic`. */
function topicArn(clusterArn: string, topic: string): string {
  return `${clusterArn.replace(":cluster/", ":topic/")}/${topic}`;
}

/** S3's names of what is done with an upload that was begun. */
const uploadActions = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"] as const;

/** S3's names of what each operation does to objects. Writing includes to give up what was begun. */
const objectActions = {
  list: [],
  read: ["s3:GetObject"],
  // To put an object takes a condition, see `addStatements`.
  add: uploadActions,
  write: [...uploadActions, "s3:PutObject"],
  delete: ["s3:DeleteObject"],
} as const;

function folderStatements(
  folders: NonNullable<DataAccess["folders"]>,
  bucketArns: readonly string[],
): readonly PolicyStatement[] {
  if (bucketArns.length === 0) return [];
  return folders.flatMap(({ path, operations }, index): PolicyStatement[] => {
    const key = path.replace(/^\//, "");
    // The star stands for the objects of the folder, whose names nobody knows before.
    const objects = bucketArns.flatMap((arn) => (key === "" ? [`${arn}/*`] : [`${arn}/${key}`, `${arn}/${key}/*`]));
    const actions = [...new Set<string>(operations.flatMap((operation) => objectActions[operation]))].sort();
    return [
      ...(operations.includes("list") ? [listStatement(`List${index}`, key, bucketArns)] : []),
      ...(operations.includes("write") || operations.includes("add")
        ? [
            {
              Sid: `Unfinished${index}`,
              Effect: "Allow",
              // S3 knows no condition by which only one folder's could be listed.
              Action: "s3:ListBucketMultipartUploads",
              Resource: bucketArns,
            } satisfies PolicyStatement,
          ]
        : []),
      ...(actions.length > 0
        ? [
            {
              Sid: `Objects${index}`,
              Effect: "Allow",
              Action: actions,
              Resource: objects,
            } satisfies PolicyStatement,
          ]
        : []),
      ...(operations.includes("add") ? addStatements(index, objects) : []),
    ];
  });
}

/**
 * To put objects that are not there yet: one that is whole, or the completion of its parts, has to come with the header
 * `If-None-Match`, with which S3 refuses to replace. The parts themselves make no object, and know no such header.
 */
function addStatements(index: number, objects: readonly string[]): readonly PolicyStatement[] {
  const put = { Effect: "Allow", Action: "s3:PutObject", Resource: objects } as const;
  return [
    { Sid: `Add${index}`, ...put, Condition: { Null: { "s3:if-none-match": "false" } } },
    { Sid: `Parts${index}`, ...put, Condition: { Bool: { "s3:ObjectCreationOperation": "false" } } },
  ];
}

/**
 * To list a folder. To list all of the bucket is what Hadoop needs: it asks for objects that are not there, which S3
 * answers with 404 only to those who may list without a condition.
 */
function listStatement(sid: string, key: string, bucketArns: readonly string[]): PolicyStatement {
  return {
    Sid: sid,
    Effect: "Allow",
    Action: "s3:ListBucket",
    Resource: bucketArns,
    ...(key !== "" && { Condition: { StringLike: { "s3:prefix": [key, `${key}/*`] } } }),
  };
}

function keyStatements(
  folders: NonNullable<DataAccess["folders"]>,
  { bucketArns, keyArn }: ManagedResources,
): readonly PolicyStatement[] {
  const operations = new Set<string>(folders.flatMap((folder) => folder.operations));
  const actions = [
    // S3 reads the parts of an upload to put them together.
    ...(["read", "add", "write"].some((each) => operations.has(each)) ? ["kms:Decrypt"] : []),
    ...(["add", "write"].some((each) => operations.has(each)) ? ["kms:GenerateDataKey"] : []),
  ];
  if (actions.length === 0 || bucketArns.length === 0) return [];
  return [{ Sid: "Key", Effect: "Allow", Action: actions, Resource: keyArn }];
}

/** Who may take on a role: a service of AWS. */
export function servicePolicy(service: string): PolicyDocument {
  return policy([{ Sid: "Service", Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }]);
}

/** Who may take on a role: the pods of one service account, through EKS. */
export function podPolicy(accountId: string, clusterArn: string, namespace: string, account: string): PolicyDocument {
  return policy([
    {
      Sid: "Pod",
      Effect: "Allow",
      Principal: { Service: "pods.eks.amazonaws.com" },
      Action: ["sts:AssumeRole", "sts:TagSession"],
      Condition: {
        StringEquals: {
          "aws:SourceAccount": accountId,
          "aws:RequestTag/kubernetes-namespace": namespace,
          "aws:RequestTag/kubernetes-service-account": account,
        },
        ArnEquals: { "aws:SourceArn": clusterArn },
      },
    },
  ]);
}

/** The bucket's own policy: nobody without TLS, and no object under another key. */
export function bucketPolicy(bucketArn: string, keyArn: string): PolicyDocument {
  return policy([
    {
      Sid: "OnlyTls",
      Effect: "Deny",
      // A denial has to name everybody and everything, or there would be a way around it.
      Principal: "*",
      Action: "s3:*",
      Resource: [bucketArn, `${bucketArn}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    },
    {
      Sid: "OnlyThisKey",
      Effect: "Deny",
      Principal: "*",
      Action: "s3:PutObject",
      Resource: `${bucketArn}/*`,
      Condition: { StringNotEqualsIfExists: { "s3:x-amz-server-side-encryption-aws-kms-key-id": keyArn } },
    },
  ]);
}
