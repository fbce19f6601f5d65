import { format, table } from "../components/table.ts";
import type { InstanceIdentity, ScheduleArgs, ServicesArgs, Target } from "../components/target.ts";

/** What one server, or one run of a schedule, asks of its target. */
export interface Demand {
  readonly identity: InstanceIdentity;
  /** MiB that it takes at most. */
  readonly memory: number;
  /** Whether it has a volume for its data. */
  readonly stateful: boolean;
}

/** The target, which notes what servers and schedules ask of it. */
export function notingTarget(target: Target, note: (demand: Demand) => void): Target {
  return new Proxy(target, {
    get: (_, property) => {
      const value = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        for (const demand of demandsOf(property, args[0])) note(demand);
        return value.apply(target, args);
      };
    },
  });
}

function demandsOf(method: string | symbol, args: unknown): Demand[] {
  switch (method) {
    case "services":
      return (args as ServicesArgs).replicas.map(({ identity, memory, stateful = false }) => ({
        identity,
        memory,
        stateful,
      }));
    case "schedule": {
      const { identity, memory } = args as ScheduleArgs;
      return [{ identity, memory, stateful: false }];
    }
    default:
      return [];
  }
}

/** The budget of a stack as lines of plain text: a line a role, and the sums. */
export function stackBudget(demands: readonly Demand[]): string[] {
  const roles = Map.groupBy(demands, ({ identity: { component, role } }) => `${component} ${role}`);
  const rows = [...roles].map(([name, servers]) => {
    const [component = "", role = ""] = name.split(" ");
    return [component, role, servers.length, sum(servers.map(({ memory }) => memory)), volumesOf(servers)];
  });
  const all = ["all", "", demands.length, sum(demands.map(({ memory }) => memory)), volumesOf(demands)];
  return table(["component", "role", "servers", "MiB", "volumes"], [...rows, all]);
}

/** The budget's sums as a sentence. */
export function budgetSummary(demands: readonly Demand[]): string {
  const memory = sum(demands.map(({ memory }) => memory)) / 1024;
  return `${format(demands.length)} servers, ${memory.toFixed(1)} GiB of memory at most, ${format(volumesOf(demands))} volumes`;
}

/** How many of them have a volume. */
export function volumesOf(demands: readonly Demand[]): number {
  return demands.filter(({ stateful }) => stateful).length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
