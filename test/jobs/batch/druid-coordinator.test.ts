import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DruidCoordinator, DruidError } from "../../../jobs/batch/druid-coordinator.ts";

let server: Server;
let requests: string[];
/** The answers by `METHOD path`, one after another; the last one stays. Others get 200 and nothing. */
let answers: Record<string, [status: number, body: unknown][]>;
let coordinator: DruidCoordinator;

beforeEach(async () => {
  requests = [];
  answers = {};
  server = createServer(async (request, response) => {
    const name = `${request.method} ${request.url}`;
    const body = await text(request);
    requests.push(body === "" ? name : `${name} ${(JSON.parse(body) as { type: string }).type}`);
    const list = answers[name] ?? [];
    const [status, answer] = (list.length > 1 ? list.shift() : list[0]) ?? [200, name.includes("?state=") ? [] : {}];
    response.writeHead(status).end(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  coordinator = new DruidCoordinator(urlOf(server));
});

function urlOf(listening: Server): string {
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

const status = (statusCode: string, errorMsg: string | null = null): [number, unknown] => [
  200,
  { status: { statusCode, errorMsg } },
];

test("a task is waited for, through answers that fail for a while", async () => {
  answers["POST /druid/indexer/v1/task"] = [
    [503, "no leader"],
    [200, { task: "load" }],
  ];
  answers["GET /druid/indexer/v1/task/load/status"] = [status("RUNNING"), [500, "restarting"], status("SUCCESS")];
  await coordinator.run({ id: "load" });
  expect(requests.filter((request) => request.startsWith("GET"))).toHaveLength(3);
});

test("a task that is there already is waited for", async () => {
  answers["POST /druid/indexer/v1/task"] = [[400, { error: "Task[load] already exists" }]];
  answers["GET /druid/indexer/v1/task/load/status"] = [status("SUCCESS")];
  await coordinator.run({ id: "load" });
});

test("a task that fails is an error with Druid's reason", async () => {
  answers["GET /druid/indexer/v1/task/load/status"] = [status("FAILED", "no such file")];
  await expect(coordinator.run({ id: "load" })).rejects.toThrow("Druid's task load failed: no such file");
});

test("a task that Druid does not begin, or does not know any more, is given up with the reason; one that runs is not", async () => {
  const impatient = new DruidCoordinator(urlOf(server), undefined, 300);
  const held = { statusCode: "RUNNING", runnerStatusCode: "PENDING", errorMsg: null };
  for (const [state, reason] of [
    [held, "Druid has not begun task load within 0.3 s (PENDING)"],
    [null, "Druid has not begun task load within 0.3 s (NONE)"],
  ] as const) {
    answers["GET /druid/indexer/v1/task/load/status"] = [[200, { status: state }]];
    await expect(impatient.run({ id: "load" })).rejects.toThrow(reason);
  }
  const runs: [number, unknown] = [200, { status: { ...held, runnerStatusCode: "RUNNING" } }];
  answers["GET /druid/indexer/v1/task/load/status"] = [...Array.from({ length: 4 }, () => runs), status("SUCCESS")];
  await impatient.run({ id: "load" });
});

test("a datasource whose task does not end is not waited for without end", async () => {
  answers["GET /druid/indexer/v1/tasks?state=running"] = [[200, [{ id: "load", dataSource: "a", type: "index" }]]];
  const impatient = new DruidCoordinator(urlOf(server), undefined, 300);
  await expect(impatient.remove("a")).rejects.toThrow(
    "datasource a cannot be removed: Druid's task load has not ended within 0.3 s of being told to",
  );
});

test("a task that Druid does not take is an error at once", async () => {
  answers["POST /druid/indexer/v1/task"] = [[400, "Could not resolve type id"]];
  await expect(coordinator.run({ id: "load" })).rejects.toBeInstanceOf(DruidError);
  expect(requests).toHaveLength(1);
});

test("a datasource's tasks count as it, finished ones do not", async () => {
  answers["GET /druid/coordinator/v1/metadata/datasources?includeUnused"] = [[200, ["b", "a"]]];
  answers["GET /druid/indexer/v1/tasks?state=running"] = [
    [200, [{ id: "1", dataSource: "c", type: "index_parallel" }]],
  ];
  expect(await coordinator.datasources()).toEqual(["a", "b", "c"]);
});

test("removing shuts tasks down before the segments go", async () => {
  answers["GET /druid/indexer/v1/tasks?state=pending"] = [
    [
      200,
      [
        { id: "load", dataSource: "a", type: "index_parallel" },
        { id: "other", dataSource: "b", type: "kill" },
      ],
    ],
    [200, []],
  ];
  answers["DELETE /druid/coordinator/v1/datasources/a"] = [[404, ""]];
  const removing = coordinator.remove("a");
  // The removal's own task has a name with the time in it.
  const own = () => requests.map((request) => /^GET (.*\/remove_a_\d+\/status)$/.exec(request)?.[1]).find(Boolean);
  await expect.poll(own).toBeDefined();
  answers[`GET ${own()}`] = [status("SUCCESS")];
  await removing;
  const changes = requests.filter((request) => !request.startsWith("GET"));
  expect(changes).toEqual([
    "POST /druid/indexer/v1/task/load/shutdown",
    "DELETE /druid/coordinator/v1/datasources/a",
    "POST /druid/indexer/v1/task kill",
  ]);
});
