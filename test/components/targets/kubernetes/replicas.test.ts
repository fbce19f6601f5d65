import { describe, expect, test } from "vitest";
import type { ServiceArgs } from "../../../../components/target.ts";
import { commonService, type Own, withPlaceholders } from "../../../../components/targets/kubernetes/replicas.ts";

const own = (index: number): Own => ({ address: `a-b-${index}.a-b.n.svc.cluster.local`, name: `a-b-${index}` });

function replica(index: number, others: Partial<ServiceArgs> = {}): ServiceArgs {
  const { address, name } = own(index);
  return {
    identity: { component: "a", role: "b", index },
    command: ["java", `-agent=${address}`, `--name=${name}`, `--peers=${own(0).address},${own(1).address}`],
    ports: { client: 1 },
    clientPorts: ["client"],
    readiness: { kind: "http", port: 1, path: `/nodes/${address}` },
    memory: 64,
    cpu: 0.25,
    ...others,
  };
}

const common = (...replicas: ServiceArgs[]) => commonService(replicas, ({ index = 0 }) => own(index));

describe("a text of a replica", () => {
  test("has its own address and name as variables, not those of others", () => {
    expect(withPlaceholders(`${own(1).address}:1,${own(10).address}:1 a-b-1 a-b-10`, own(1))).toBe(
      `$(POD_ADDRESS):1,${own(10).address}:1 $(POD_NAME) a-b-10`,
    );
  });

  test("keeps what Kubernetes would take for a variable", () => {
    expect(withPlaceholders("echo $(date) $NM_HOST", undefined)).toBe("echo $$(date) $NM_HOST");
  });
});

test("replicas that differ by their own address and name alone have one template", () => {
  const same = { command: ["java", "$(POD_ADDRESS)"] };
  const [first, second] = [0, 1].map((index) => replica(index, { command: ["java", own(index).address] }));
  const template = common(first as ServiceArgs, second as ServiceArgs);
  expect(template.command).toEqual(same.command);
  expect(template.readiness).toEqual({ kind: "http", port: 1, path: "/nodes/$(POD_ADDRESS)" });
});

test("a port that only some replicas have is a port of all", () => {
  const template = common(
    replica(0, { command: [], ports: { client: 1, controller: 2 } }),
    replica(1, { command: [] }),
  );
  expect(template.ports).toEqual({ client: 1, controller: 2 });
});

test.each([
  ["command", { command: ["java", "--id=1"] }],
  ["memory", { command: [], memory: 65 }],
  ["cpu", { command: [], cpu: 0.5 }],
  ["environment", { command: [], environment: { ID: "1" } }],
  ["prepare", { command: [], prepare: ["true"] }],
  ["stopGrace", { command: [], stopGrace: 3 }],
  ["readiness", { command: [], readiness: { kind: "tcp", port: 2 } as const }],
])("a %s that differs is an error that names instance and argument", (argument, others) => {
  expect(() => common(replica(0, { command: [] }), replica(1, others))).toThrow(
    new RegExp(`Kubernetes: a-b-1: ${argument} must be the same for all replicas`),
  );
});
