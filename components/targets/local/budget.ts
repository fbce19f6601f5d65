import { format, table } from "../../table.ts";
import type { InstanceIdentity } from "../../target.ts";

/** What one server asks of the machine. */
export interface Demand {
  readonly identity: InstanceIdentity;
  /** MiB that it takes at most. */
  readonly memory: number;
  /** Cores that it is expected to need. */
  readonly cpu: number;
  /** MiB that its folders need to begin with. */
  readonly disk: number;
  readonly ports: readonly number[];
  /** See `ServiceArgs.permanent`. */
  readonly permanent: Readonly<Record<string, string | number>>;
}

/** What the machine has: MiB that are free, and all cores, as they are shared; undefined where that cannot be told. */
export interface Free {
  readonly cores: number | undefined;
  readonly memory: number | undefined;
  readonly disk: number | undefined;
}

/** What the servers of one role take together. */
export interface BudgetRow {
  readonly component: string;
  readonly role: string;
  readonly servers: number;
  /** How many of them run already. */
  readonly running: number;
  /** Cores that all of them are expected to need. */
  readonly cpu: number;
  /** MiB that all of them take at most. */
  readonly memory: number;
  /** MiB of it that nobody was given yet: of servers that do not run, and what running ones are to get on top. */
  readonly memoryToAdd: number;
  /** MiB of disk for those that do not run. */
  readonly diskToAdd: number;
  /** The ports that each of them listens on, at its own address. */
  readonly ports: readonly number[];
}

/**
 * MiB of disk that a server's folders need to begin with: its logs, which are bounded, and, if it keeps data, room to
 * get going. Data grows with the events; this is no forecast of it.
 */
export function initialDisk(stateful: boolean): number {
  return stateful ? 256 : 64;
}

/**
 * The budget: a row a role, in the order in which the roles come.
 *
 * @param running MiB that each running instance was given, by the instance's name
 * @param nameOf the instance's name
 */
export function budgetRows(
  demands: readonly Demand[],
  running: ReadonlyMap<string, number>,
  nameOf: (identity: InstanceIdentity) => string,
): BudgetRow[] {
  const roles = Map.groupBy(demands, ({ identity }) => JSON.stringify([identity.component, identity.role]));
  return [...roles.values()].map((servers) => {
    const { component, role } = (servers[0] as Demand).identity;
    const given = servers.map(({ identity }) => running.get(nameOf(identity)));
    return {
      component,
      role,
      servers: servers.length,
      running: given.filter((memory) => memory !== undefined).length,
      cpu: sum(servers.map(({ cpu }) => cpu)),
      memory: sum(servers.map(({ memory }) => memory)),
      memoryToAdd: sum(servers.map(({ memory }, index) => Math.max(0, memory - (given[index] ?? 0)))),
      diskToAdd: sum(servers.map(({ disk }, index) => (given[index] === undefined ? disk : 0))),
      ports: [...new Set(servers.flatMap(({ ports }) => ports))].sort((a, b) => a - b),
    };
  });
}

/** The budget as lines of plain text, CPU in cores and all sizes in MiB, with the sums last. */
export function budgetTable(rows: readonly BudgetRow[]): string[] {
  const header = ["component", "role", "servers", "run", "CPU", "memory", "to add", "disk to add", "ports"];
  const numbers = (row: Omit<BudgetRow, "component" | "role" | "ports">) => [
    row.servers,
    row.running,
    row.cpu,
    row.memory,
    row.memoryToAdd,
    row.diskToAdd,
  ];
  const cells = rows.map((row) => [row.component, row.role, ...numbers(row), row.ports.join(" ")]);
  return table(header, [...cells, ["all", "", ...numbers(totals(rows)), ""]]);
}

/** Whether there is anything that the machine has not given yet. */
export function addsAnything(rows: readonly BudgetRow[]): boolean {
  const { memoryToAdd, diskToAdd } = totals(rows);
  return memoryToAdd + diskToAdd > 0;
}

/**
 * What there is to say about CPU, in lines: nothing where the machine has the cores that the servers are expected to
 * need. It never is an error: unlike memory, CPU time is shared, and with less of it all take longer.
 */
export function cpuRemark(rows: readonly BudgetRow[], { cores }: Free): string[] {
  const { cpu } = totals(rows);
  if (cores === undefined || cpu <= cores) return [];
  return [
    `They are expected to need ${format(cpu)} cores, and this machine has ${format(cores)}: they start all the same, and take longer.`,
  ];
}

/**
 * The part of what servers take at most that has to be free: they never are all at their most at once. Measured, the
 * whole of `tiny` took 4.1 of its 8.8 GiB, a batch run included.
 */
const usualShare = 0.6;

/**
 * What the machine lacks, with the budget and the mend, for a person; undefined if it lacks nothing.
 *
 * @param folder the folder whose disk it is about
 */
export function shortage(rows: readonly BudgetRow[], free: Free, folder: string): string | undefined {
  const { memoryToAdd, diskToAdd } = totals(rows);
  const lacks = [
    ...lack(
      Math.ceil(memoryToAdd * usualShare),
      free.memory,
      "of memory",
      ` (of the most that they take, ${usualShare * 100} % have to be free)`,
    ),
    ...lack(diskToAdd, free.disk, "of disk", ` under ${folder}`),
  ];
  if (lacks.length === 0) return undefined;
  return [
    `this machine has no room for the servers, so none was started: ${lacks.join("; ")}.`,
    "What they take at most, in MiB, and the cores that they are expected to need:",
    ...budgetTable(rows).map((line) => `  ${line}`),
    "Mend: a smaller size (npm run pulumi -- config set size tiny), fewer replicas or smaller heaps of the largest above, or end other programs.",
  ].join("\n");
}

function lack(toAdd: number, free: number | undefined, what: string, where: string): string[] {
  if (toAdd === 0 || free === undefined || toAdd <= free) return [];
  const [needed, there] = [toAdd, free].map((size) => Math.floor(size).toLocaleString("en-US"));
  return [`${needed} MiB ${what} are needed, ${there} MiB are free${where}`];
}

function totals(rows: readonly BudgetRow[]) {
  return {
    servers: sum(rows.map((row) => row.servers)),
    running: sum(rows.map((row) => row.running)),
    cpu: sum(rows.map((row) => row.cpu)),
    memory: sum(rows.map((row) => row.memory)),
    memoryToAdd: sum(rows.map((row) => row.memoryToAdd)),
    diskToAdd: sum(rows.map((row) => row.diskToAdd)),
  };
}

/** The sum, to a thousandth: a tenth of a core ten times over is one core. */
function sum(numbers: readonly number[]): number {
  return Math.round(numbers.reduce((all, one) => all + one, 0) * 1000) / 1000;
}
