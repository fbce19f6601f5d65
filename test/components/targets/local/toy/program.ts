/** A Pulumi program that puts the servers of `plan.json`, in the folder of its project, onto the local target. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as pulumi from "@pulumi/pulumi";
import type { DataSafetyArgs } from "../../../../../components/target.ts";
import { createLocalTarget } from "../../../../../components/targets/local/index.ts";

/** How a toy server behaves. */
export interface Behaviour {
  /** What it answers. */
  readonly text: string;
  /** Ends with exit code 3 at once. */
  readonly dies?: boolean;
  /** Leaves a process behind in a session of its own, without a parent. */
  readonly leaves?: boolean;
  /** Does not heed SIGTERM. */
  readonly stubborn?: boolean;
  /** Milliseconds until it listens. */
  readonly startsIn?: number;
}

/** What the program deploys: servers and tasks by component; the instance of `a` is named `a-server` or `a-task`. */
export interface Plan extends DataSafetyArgs {
  readonly servers?: Readonly<Record<string, Behaviour & { readonly readinessTimeout?: number }>>;
  /** Tasks by component, each of shell commands, after all servers. */
  readonly tasks?: Readonly<Record<string, { readonly run: string; readonly check?: string; readonly undo?: string }>>;
}

const folder = pulumi.getProject() === "toy" ? process.cwd() : "";
const plan = JSON.parse(readFileSync(join(folder, "plan.json"), "utf8")) as Plan;
const target = createLocalTarget({
  project: pulumi.getProject(),
  stack: pulumi.getStack(),
  folder: join(folder, "stacks", pulumi.getStack()),
  ...(plan.protect !== undefined && { protect: plan.protect }),
  ...(plan.deleteData !== undefined && { deleteData: plan.deleteData }),
});
const server = fileURLToPath(new URL("./server.ts", import.meta.url));
const port = 8642;

const servers = Object.entries(plan.servers ?? {}).flatMap(([component, { readinessTimeout = 20, ...behaviour }]) => {
  const identity = { component, role: "server" };
  const { address } = target.placement(identity);
  return target.services(
    {
      replicas: [
        {
          identity,
          command: [target.node, server, JSON.stringify({ ...behaviour, address, port })],
          environment: { TOY: "it's a toy" },
          files: { "toy.properties": { content: "a=1\n" }, "keys/secret": { content: "open sesame", secret: true } },
          prepare: ["sh", "-c", 'echo "prepared $TOY"'],
          ports: { http: port },
          readiness: { kind: "http", port, path: "/", expect: behaviour.text },
          readinessTimeout,
          memory: 64,
          cpu: 0.25,
          stateful: true,
          stopGrace: 2,
        },
      ],
    },
    {},
  );
});
for (const [component, { run, check, undo }] of Object.entries(plan.tasks ?? {})) {
  target.task(
    {
      identity: { component, role: "task" },
      command: ["sh", "-c", run],
      ...(check !== undefined && { checkCommand: ["sh", "-c", check] }),
      ...(undo !== undefined && { deleteCommand: ["sh", "-c", undo] }),
      timeout: 5,
    },
    { dependsOn: servers },
  );
}

/** The servers' addresses by component. */
export const addresses = Object.fromEntries(
  Object.keys(plan.servers ?? {}).map((component) => [
    component,
    target.placement({ component, role: "server" }).address,
  ]),
);
