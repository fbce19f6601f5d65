/*
 * What the plans give to AWS's and Kubernetes' resources is what the providers' types have: no unknown property, no value of
 * another type, no property left out. The compiler sees each resource as a literal, of which it takes no property too many.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { checkout } from "../../scripts/environment.ts";
import { type Plan, type PlannedResource, secretMark, unknownMark } from "../../stacks/plan/plan.ts";

/** The classes of the types `aws:ec2/vpc:Vpc` and `kubernetes:networking.k8s.io/v1:NetworkPolicy`; undefined for others. */
function className(type: string): string | undefined {
  const [, provider, group = "", version = "", name = ""] =
    /^(aws|kubernetes):([^/]+)\/([^:]+):(\w+)$/.exec(type) ?? [];
  if (provider === "aws") return `aws.${group}.${name}`;
  return provider === undefined ? undefined : `kubernetes.${group.split(".")[0]}.${version}.${name}`;
}

/** The value as TypeScript; what is unknown or secret is of any type. */
function literal(value: unknown): string {
  if (value === unknownMark || value === secretMark) return "unknown";
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([name, inner]) => `${JSON.stringify(name)}: ${literal(inner)}`)
    .join(", ")} }`;
}

/** The providers' types, which take seconds to read: both tests check against the same ones. */
const sourceFiles = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says of the resources, each sentence after the resource's name. */
function typeErrors(resources: readonly PlannedResource[]): string[] {
  const typed = resources.flatMap((resource) => {
    const name = className(resource.type);
    return name === undefined ? [] : [{ resource, line: `new ${name}("name", ${literal(resource.inputs)});` }];
  });
  const head = [
    'import * as aws from "@pulumi/aws";',
    'import * as kubernetes from "@pulumi/kubernetes";',
    "declare const unknown: any;",
  ];
  const text = [...head, ...typed.map(({ line }) => line)].join("\n");
  const file = join(checkout, "test/stacks/plan-types.generated.ts");
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ESNext,
    types: ["node"],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.getSourceFile = (path, ...rest) => {
    if (path === file) return ts.createSourceFile(file, text, ts.ScriptTarget.ESNext);
    if (!sourceFiles.has(path)) sourceFiles.set(path, getSourceFile(path, ...rest));
    return sourceFiles.get(path);
  };
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map(({ start = 0, messageText }) => {
    const line = text.slice(0, start).split("\n").length - 1 - head.length;
    return `${typed[line]?.resource.name}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`;
  });
}

const planOf = (stack: string) =>
  (JSON.parse(readFileSync(join(checkout, `stacks/plans/${stack}.json`), "utf8")) as Plan).resources;

test("what prod and staging give to their providers is what the providers take", () => {
  const resources = [...planOf("prod"), ...planOf("staging")];
  expect(resources.filter(({ type }) => type.startsWith("aws:")).length).toBeGreaterThan(60);
  expect(typeErrors(resources)).toEqual([]);
}, 120_000);

test("an unknown property, however deep, a wrong type and a missing one are seen", () => {
  const of = (type: string) => {
    const found = planOf("prod").find((resource) => resource.type === type);
    if (found === undefined) throw new Error(`prod has no ${type}`);
    return structuredClone(found) as { name: string; type: string; inputs: Record<string, never> } & PlannedResource;
  };
  const set = (type: string, change: (inputs: Record<string, never>) => void) => {
    const resource = of(type);
    change(resource.inputs);
    return resource;
  };
  const errors = typeErrors([
    set("aws:s3/bucket:Bucket", (inputs) => Object.assign(inputs, { forceDestroyed: true })),
    set("aws:msk/cluster:Cluster", (inputs) => Object.assign(inputs.brokerNodeGroupInfo ?? {}, { zones: 3 })),
    set("aws:eks/cluster:Cluster", (inputs) => delete inputs.roleArn),
    set("aws:ec2/subnet:Subnet", (inputs) => Object.assign(inputs, { mapPublicIpOnLaunch: "no" })),
    set("kubernetes:apps/v1:StatefulSet", (inputs) => Object.assign(inputs.spec ?? {}, { replica: 1 })),
  ]);
  for (const part of ["forceDestroyed", "zones", "roleArn", "mapPublicIpOnLaunch|boolean", "replica"])
    expect(errors).toContainEqual(expect.stringMatching(part));
  expect(errors).toHaveLength(5);
}, 120_000);
