import { expect, test } from "vitest";
import { parseStackConfiguration } from "../../stacks/configuration.ts";
import { permanentProblems, permanentValues } from "../../stacks/permanent.ts";

const noted = permanentValues(parseStackConfiguration({ chunkSize: "100", partitions: "5", logIncarnation: "2" }));
const same = { chunkSize: "100", partitions: "5", logIncarnation: "2" };
const problemsOf = (values: Record<string, string>) =>
  permanentProblems("part", parseStackConfiguration({ ...same, ...values }), noted);

test("a stack that is not up may become anything", () => {
  expect(permanentProblems("part", parseStackConfiguration({ chunkSize: "777" }), undefined)).toEqual([]);
});

test.each([
  ["nothing", {}],
  ["more partitions", { partitions: "9" }],
  ["the next life of the log", { logIncarnation: "3" }],
  ["another topic, of another chunk size and fewer partitions", { topic: "other", chunkSize: "200", partitions: "1" }],
  ["a larger size with as many controllers", { size: "ha", kafkaControllers: "1" }],
  ["retention", { retentionHours: "1" }],
])("%s may change", (_, values) => expect(problemsOf(values)).toEqual([]));

test.each([
  [{ chunkSize: "200" }, "chunkSize: cannot change from 100 to 200", "config set chunkSize 100 --stack part"],
  [{ partitions: "2" }, "partitions: cannot change from 5 to 2", "config set partitions 5 --stack part"],
  [{ logIncarnation: "1" }, "logIncarnation: cannot change from 2 to 1", "config set logIncarnation 2"],
  [{ size: "ha" }, "kafkaControllers: cannot change from 1 to 3", "config set kafkaControllers 1"],
  [
    { storage: "s3", s3Bucket: "events" },
    "storage: cannot change from hdfs to s3, bucket events",
    "set it as it was, or make another stack",
  ],
])("%j is refused with the fix where there may be data", (values, problem, fix) => {
  const problems = problemsOf(values);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`  lambda-architecture:${problem}, since `);
  expect(problems[0]).toContain(`. Fix: `);
  expect(problems[0]).toContain(fix);
});

test("what a topic's data is made for is still known when the stack comes back to it from another one", () => {
  const other = parseStackConfiguration({ ...same, topic: "other", chunkSize: "200" });
  const after = permanentValues(other, noted);
  expect(permanentProblems("part", parseStackConfiguration({ ...same, chunkSize: "200" }), after)).toHaveLength(1);
  expect(permanentProblems("part", parseStackConfiguration(same), after)).toEqual([]);
});

test("the network on AWS cannot change", () => {
  const aws = { target: "aws", awsAccount: "111122223333" };
  const network = {
    awsVpcId: "vpc-0123456789abcdef0",
    awsVpcCidrBlock: "10.0.0.0/16",
    awsPrivateSubnetIds: "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
  };
  const before = permanentValues(parseStackConfiguration(aws));
  expect(permanentProblems("part", parseStackConfiguration({ ...aws, ...network }), before)).toEqual([
    expect.stringContaining("awsVpcId: cannot change from its own to vpc-0123456789abcdef0"),
  ]);
  expect(permanentProblems("part", parseStackConfiguration(aws), before)).toEqual([]);
});
