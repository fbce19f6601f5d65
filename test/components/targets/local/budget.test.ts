import { expect, test } from "vitest";
import { instanceName } from "../../../../components/target.ts";
import {
  addsAnything,
  type BudgetRow,
  budgetRows,
  budgetTable,
  cpuRemark,
  type Demand,
  initialDisk,
  shortage,
} from "../../../../components/targets/local/budget.ts";

const demand = (
  component: string,
  role: string,
  index: number | undefined,
  memory: number,
  ports: number[],
): Demand => ({
  identity: { component, role, ...(index !== undefined && { index }) },
  memory,
  cpu: memory / 1000,
  disk: initialDisk(index !== undefined),
  ports,
  permanent: {},
});

const demands = [
  demand("kafka", "broker", 0, 416, [9093, 9092]),
  demand("kafka", "broker", 1, 416, [9093, 9092]),
  demand("kafka", "broker", 2, 416, [9092]),
  demand("lambda", "serving", undefined, 320, [8080]),
];

function rows(running: Readonly<Record<string, number>> = {}): BudgetRow[] {
  return budgetRows(demands, new Map(Object.entries(running)), instanceName);
}

test("a row a role sums what its servers take", () => {
  expect(rows()).toEqual([
    {
      component: "kafka",
      role: "broker",
      servers: 3,
      running: 0,
      cpu: 1.248,
      memory: 1248,
      memoryToAdd: 1248,
      diskToAdd: 768,
      ports: [9092, 9093],
    },
    {
      component: "lambda",
      role: "serving",
      servers: 1,
      running: 0,
      cpu: 0.32,
      memory: 320,
      memoryToAdd: 320,
      diskToAdd: 64,
      ports: [8080],
    },
  ]);
});

test("what runs has its memory already, but for what it is to get on top", () => {
  const [brokers, serving] = rows({ "kafka-broker-0": 416, "kafka-broker-1": 400, "lambda-serving": 500, other: 9 });
  expect(brokers).toMatchObject({ running: 2, memory: 1248, memoryToAdd: 416 + 16, diskToAdd: 256 });
  expect(serving).toMatchObject({ running: 1, memory: 320, memoryToAdd: 0, diskToAdd: 0 });
  expect(addsAnything(rows({ "kafka-broker-0": 416 }))).toBe(true);
  const all = { "kafka-broker-0": 416, "kafka-broker-1": 416, "kafka-broker-2": 416, "lambda-serving": 320 };
  expect(addsAnything(rows(all))).toBe(false);
});

test("the table says who takes what, with the sums last", () => {
  expect(budgetTable(rows({ "kafka-broker-0": 416 }))).toEqual([
    "component  role     servers  run    CPU  memory  to add  disk to add  ports",
    "kafka      broker         3    1  1.248   1,248     832          512  9092 9093",
    "lambda     serving        1    0   0.32     320     320           64  8080",
    "all                       4    1  1.568   1,568   1,152          576",
  ]);
});

test("fewer cores than all are expected to need are said, and no lack", () => {
  const free = { memory: 9_000, disk: 9_000 };
  expect(cpuRemark(rows(), { ...free, cores: 1 })).toEqual([
    "They are expected to need 1.568 cores, and this machine has 1: they start all the same, and take longer.",
  ]);
  expect(shortage(rows(), { ...free, cores: 1 }, "/stack")).toBeUndefined();
  for (const cores of [2, undefined]) expect(cpuRemark(rows(), { ...free, cores })).toEqual([]);
});

test("tenths of a core sum up to whole ones", () => {
  const tenths = Array.from({ length: 10 }, (_, index) => ({ ...demand("kafka", "broker", index, 1, []), cpu: 0.1 }));
  const sums = budgetRows(tenths, new Map(), instanceName);
  expect(cpuRemark(sums, { memory: undefined, disk: undefined, cores: 1 })).toEqual([]);
});

test("a machine with room lacks nothing, to the last MiB", () => {
  expect(shortage(rows(), { cores: 1, memory: 941, disk: 832 }, "/stack")).toBeUndefined();
});

test("a machine that cannot tell what is free is taken to have room", () => {
  expect(shortage(rows(), { cores: undefined, memory: undefined, disk: undefined }, "/stack")).toBeUndefined();
});

test("too small a machine is an error with everything that lacks, the table and the mend", () => {
  const lines = (shortage(rows(), { cores: 1, memory: 940.5, disk: 100 }, "/stack") ?? "").split("\n");
  expect(lines[0]).toBe(
    "this machine has no room for the servers, so none was started: 941 MiB of memory are needed, 940 MiB are free (of the most that they take, 60 % have to be free); " +
      "832 MiB of disk are needed, 100 MiB are free under /stack.",
  );
  expect(lines.slice(2, -1)).toEqual(budgetTable(rows()).map((line) => `  ${line}`));
  expect(lines.at(-1)).toMatch(/^Mend: .*config set size tiny/);
});

test("what runs already is not refused, however little is free", () => {
  const all = { "kafka-broker-0": 416, "kafka-broker-1": 416, "kafka-broker-2": 416, "lambda-serving": 320 };
  expect(shortage(rows(all), { cores: 1, memory: 0, disk: 0 }, "/stack")).toBeUndefined();
});
