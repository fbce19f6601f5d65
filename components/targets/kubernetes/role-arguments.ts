import type { KubernetesTargetArgs } from "./arguments.ts";

/** The arguments that say something of single roles, and what the roles are that each may name. */
const roleArguments = {
  volumeSizes: "a role that keeps data",
  cpus: "a role",
  callers: "a role that clients may call",
} as const;

type RoleArgument = keyof typeof roleArguments;
type RoleArgs = Pick<KubernetesTargetArgs, RoleArgument>;
type ValueOf<Argument extends RoleArgument> = NonNullable<RoleArgs[Argument]>[string];

/** What a target's arguments say of single roles, and which of them nobody asked for. */
export class RoleArguments {
  readonly #args: RoleArgs;
  readonly #roles: Readonly<Record<RoleArgument, Set<string>>> = {
    volumeSizes: new Set(),
    cpus: new Set(),
    callers: new Set(),
  };

  constructor(args: RoleArgs) {
    this.#args = args;
  }

  /** What the argument says of the role; undefined if nothing. */
  of<Argument extends RoleArgument>(argument: Argument, role: string): ValueOf<Argument> | undefined {
    this.#roles[argument].add(role);
    return this.#args[argument]?.[role] as ValueOf<Argument> | undefined;
  }

  /**
   * What is wrong once all roles were asked for: a line for each argument of a role that there is not. Else a mistyped
   * name would leave the role with what holds for all.
   */
  problems(): string[] {
    return (Object.keys(roleArguments) as RoleArgument[]).flatMap((argument) => {
      const roles = this.#roles[argument];
      return Object.keys(this.#args[argument] ?? {})
        .filter((role) => !roles.has(role))
        .map((role) => {
          const known = roles.size === 0 ? "there is none" : [...roles].sort().join(", ");
          return `Kubernetes: ${argument}.${role} must name ${roleArguments[argument]}: ${known}`;
        });
    });
  }
}
