import { format, table } from "../components/table.ts";
import type { InstanceIdentity, ScheduleArgs, ServicesArgs, Target } from "../components/target.ts";

/** What one server, or one run of a schedule, asks of its target. */
export interface Demand {
  readonly identity: InstanceIdentity;
  /** MiB that it takes at most. */
  readonly memory: number;
  /** Cores that it is expected to need. */
  readonly cpu: number;
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
      return (args as ServicesArgs).replicas.map(({ identity, memory, cpu, stateful = false }) => ({
        identity,
        memory,
        cpu,
        stateful,
      }));
    case "schedule": {
      const { identity, memory, cpu } = args as ScheduleArgs;
      return [{ identity, memory, cpu, stateful: false }];
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
    return [component, role, ...numbersOf(servers)];
  });
  return table(
    ["component", "role", "servers", "CPU", "MiB", "volumes"],
    [...rows, ["all", "", ...numbersOf(demands)]],
  );
}

/** The budget's sums as a sentence. */
export function budgetSummary(demands: readonly Demand[]): string {
  const [servers, cpu, memory, volumes] = numbersOf(demands);
  return `${format(servers)} servers, ${format(cpu)} cores expected to be needed, ${(memory / 1024).toFixed(1)} GiB of memory at most, ${format(volumes)} volumes`;
}

/** What they take together: how many they are, cores, MiB, volumes. */
function numbersOf(demands: readonly Demand[]): [servers: number, cpu: number, memory: number, volumes: number] {
  return [
    demands.length,
    sum(demands.map(({ cpu }) => cpu)),
    sum(demands.map(({ memory }) => memory)),
    volumesOf(demands),
  ];
}

/** How many of them have a volume. */
export function volumesOf(demands: readonly Demand[]): number {
  return demands.filter(({ stateful }) => stateful).length;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
