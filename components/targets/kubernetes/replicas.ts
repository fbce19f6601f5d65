import { isDeepStrictEqual } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { InputErrors } from "../../input-errors.ts";
import { type InstanceIdentity, instanceName, type ServiceArgs } from "../../target.ts";

/** What stands for the pod's own address and name, in the way of Kubernetes's own variables. */
export const ownAddress = "$(POD_ADDRESS)";
export const ownName = "$(POD_NAME)";

/** What the replicas of a role have in common, with {@link ownAddress} and {@link ownName} where they differ. */
export interface CommonService {
  readonly command: readonly string[];
  readonly prepare?: readonly string[];
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  readonly readiness: ServiceArgs["readiness"];
  readonly ports: Readonly<Record<string, number>>;
  readonly clientPorts: readonly string[];
}

/** How a replica is called: what is replaced in its own arguments. */
export interface Own {
  readonly address: string;
  readonly name: string;
}

/**
 * The one pod template of all replicas of a role. Files may differ between replicas, all else only by the replica's
 * own address and name. A replica may have ports that others lack: they are the ports of all.
 *
 * @throws {pulumi.InputPropertiesError} naming every argument that differs
 */
export function commonService(
  replicas: readonly ServiceArgs[],
  own: (identity: InstanceIdentity) => Own | undefined,
): CommonService {
  const [first, ...others] = replicas.map((replica) => [replica, withoutOwn(replica, own(replica.identity))] as const);
  if (first === undefined) throw new TypeError("a role has no replicas");
  const [firstReplica, template] = first;
  for (const [replica, other] of others) {
    const errors = new InputErrors(`Kubernetes: ${instanceName(replica.identity)}`);
    for (const [argument, value] of Object.entries(template)) {
      errors.check(
        isDeepStrictEqual(other[argument as keyof Template], value),
        argument,
        "must be the same for all replicas of a role, which are one StatefulSet, but for their own address and name; " +
          `it is ${JSON.stringify(other[argument as keyof Template])}, and ${JSON.stringify(value)} for ${instanceName(firstReplica.identity)}`,
      );
    }
    errors.throwIfAny();
  }
  return {
    command: template.command,
    ...(template.prepare !== undefined && { prepare: template.prepare }),
    environment: commonEnvironment(replicas, own),
    readiness: template.readiness,
    ports: Object.assign({}, ...replicas.map(({ ports }) => ports)),
    clientPorts: [...new Set(replicas.flatMap(({ clientPorts = [] }) => clientPorts))],
  };
}

type Template = ReturnType<typeof withoutOwn>;

function withoutOwn(args: ServiceArgs, own: Own | undefined) {
  const text = (value: string) => withPlaceholders(value, own);
  return {
    command: args.command.map(text),
    prepare: args.prepare?.map(text),
    environment: Object.fromEntries(
      Object.entries(args.environment ?? {}).map(([name, value]) => [
        name,
        typeof value === "string" ? text(value) : "an output",
      ]),
    ),
    readiness: mapTexts(args.readiness, text),
    distributions: args.distributions?.map(({ name }) => name),
    memory: args.memory,
    cpu: args.cpu,
    stateful: args.stateful,
    readinessTimeout: args.readinessTimeout,
    stopSignal: args.stopSignal,
    stopGrace: args.stopGrace,
  };
}

/** The environment of the first replica; that of the others is compared when it is known. */
function commonEnvironment(
  replicas: readonly ServiceArgs[],
  own: (identity: InstanceIdentity) => Own | undefined,
): Record<string, pulumi.Input<string>> {
  return Object.fromEntries(
    Object.entries(replicas[0]?.environment ?? {}).map(([name, value]) => {
      if (typeof value === "string" && replicas[0]) return [name, withPlaceholders(value, own(replicas[0].identity))];
      const values = pulumi.all(replicas.map(({ environment }) => environment?.[name] ?? ""));
      const common = values.apply((texts) => {
        const [first = "", ...others] = texts.map((each, index) =>
          withPlaceholders(each, own((replicas[index] as ServiceArgs).identity)),
        );
        const differs = others.findIndex((other) => other !== first) + 1;
        // Not the values: they may be secret.
        if (differs > 0)
          throw new TypeError(
            `Kubernetes: ${instanceName((replicas[differs] as ServiceArgs).identity)}: environment.${name} must be the same for all replicas of a role`,
          );
        return first;
      });
      return [name, common];
    }),
  );
}

/**
 * The text with the instance's own address and name as variables. What looks like a variable to Kubernetes stays what it
 * is.
 *
 * @param own undefined for a role that never has replicas: then nothing is replaced
 */
export function withPlaceholders(text: string, own: Own | undefined): string {
  const literal = text.replaceAll("$(", () => "$$(");
  if (own === undefined) return literal;
  const { address, name } = own;
  return literal.replaceAll(address, () => ownAddress).replaceAll(wholeName(name), () => ownName);
}

/** The name where it is not a part of a longer one: `a-1` is none in `a-10` or `a-1.example`. */
function wholeName(name: string): RegExp {
  return new RegExp(`(?<![\\w.-])${name}(?![\\w.-])`, "g");
}

function mapTexts<T>(value: T, map: (text: string) => string): T {
  if (typeof value === "string") return map(value) as T;
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, map)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapTexts(each, map)])) as T;
}
