import { request } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TooMuchError } from "../../../jobs/batch/too-much-error.ts";
import { count, sum } from "../../../jobs/measures/index.ts";
import { createServingLayer } from "../../../jobs/serving/serving-layer.ts";
import { type Stores, storeNames } from "../../../jobs/serving/stores.ts";
import { mostKeyBytes } from "../../../jobs/views/admission.ts";
import { view } from "../../../jobs/views/view.ts";
import { SimulatedStores } from "./simulated-stores.ts";

interface Visit {
  readonly time: string;
  readonly site: string;
  readonly page: string;
  readonly bytes: number;
}

const visits = view<Visit>({
  name: "visits",
  time: (visit) => visit.time,
  granularity: "hour",
  key: { site: (visit) => visit.site, page: (visit) => visit.page },
  measures: { visits: count(), bytes: sum((visit) => visit.bytes) },
});
const log: Visit[] = [
  { time: "2015-09-12T08:10:00Z", site: "a", page: "x", bytes: 1 },
  { time: "2015-09-12T09:10:00Z", site: "a", page: "x", bytes: 2 },
  { time: "2015-09-12T08:20:00Z", site: "a", page: "y", bytes: 40 },
  { time: "2015-09-12T08:30:00Z", site: "a", page: "x", bytes: 4 },
  { time: "2015-09-13T08:30:00Z", site: "a", page: "x", bytes: 8 },
];

let stores: SimulatedStores<Visit>;
let app: FastifyInstance;

beforeEach(async () => {
  stores = new SimulatedStores([log, []], [visits], 2, 2);
  stores.views.get("visits")?.writeTo(0, 5);
  stores.publish(visits, "20150914T000000000", { 0: 2, 1: 0 });
  app = await createServingLayer({
    views: [visits],
    stores,
    partitions: 2,
    chunkSize: 2,
    chunksPerEra: 2,
    storeTimeout: 50,
    scanTimeout: 50,
    hosts: ["127.0.0.1:8080", "localhost:8080"],
  });
});
afterEach(() => app.close());

const get = (url: string, host = "127.0.0.1:8080") => app.inject({ url, headers: { host } });

describe("GET /views", () => {
  it("lists every view with what can be asked of it and its version", async () => {
    const response = await get("/views");
    expect(response.statusCode).toBe(200);
    expect(response.headers["cache-control"]).toBe("no-store");
    expect(response.json()).toEqual({
      views: [
        {
          name: "visits",
          keyFields: ["site", "page"],
          granularity: "hour",
          measures: [
            { name: "visits", kind: "count" },
            { name: "bytes", kind: "sum" },
          ],
          version: "20150914T000000000",
          horizon: { 0: 2, 1: 0 },
          retained: [],
        },
      ],
    });
  });
});

describe("GET /views/{view}", () => {
  const contains = {
    version: "20150914T000000000",
    horizon: { 0: 2, 1: 0 },
    speed: { 0: 5, 1: 0 },
    log: { 0: 5, 1: 0 },
    lag: 0,
    holes: [],
    problems: [],
    complete: true,
  };

  it("answers for a key, merged, in the view's own time steps", async () => {
    const response = await get("/views/visits?site=a&page=x");
    expect(response.statusCode).toBe(200);
    expect(response.headers["content-type"]).toBe("application/json; charset=utf-8");
    expect(response.json()).toEqual({
      view: "visits",
      key: { site: "a", page: "x" },
      granularity: "hour",
      rows: [
        { time: "2015-09-12T08:00:00.000Z", visits: 2, bytes: 5 },
        { time: "2015-09-12T09:00:00.000Z", visits: 1, bytes: 2 },
        { time: "2015-09-13T08:00:00.000Z", visits: 1, bytes: 8 },
      ],
      total: { visits: 4, bytes: 15 },
      contains,
    });
  });

  it("takes from as inclusive and to as exclusive", async () => {
    const range = "from=2015-09-12T09:00:00Z&to=2015-09-13T08:00:00Z";
    const response = await get(`/views/visits?site=a&page=x&${range}`);
    expect(response.json().rows).toEqual([{ time: "2015-09-12T09:00:00.000Z", visits: 1, bytes: 2 }]);
  });

  it("takes dates, zones and coarser time steps", async () => {
    const days = await get(
      "/views/visits?site=a&page=x&granularity=day&from=2015-09-12T02:00:00%2B02:00&to=2015-09-13",
    );
    expect(days.json().rows).toEqual([{ time: "2015-09-12T00:00:00.000Z", visits: 3, bytes: 7 }]);
    const all = await get("/views/visits?site=a&page=x&granularity=all&from=2015-09-12T09:00Z");
    expect(all.json().rows).toEqual([{ time: "2015-09-12T09:00:00.000Z", visits: 2, bytes: 10 }]);
  });

  it("answers from one layer alone, and says which events that is", async () => {
    const batch = (await get("/views/visits?site=a&page=x&layer=batch")).json();
    expect(batch.total).toEqual({ visits: 2, bytes: 3 });
    expect(batch.contains).toEqual({ ...contains, speed: { 0: 2, 1: 0 }, lag: 3, complete: false });
    const speed = (await get("/views/visits?site=a&page=x&layer=speed")).json();
    expect(speed.total).toEqual({ visits: 2, bytes: 12 });
    expect(speed.contains).toEqual(contains);
  });

  it("gives no rows and zero totals for a key without events, and for an empty range", async () => {
    for (const query of ["site=a&page=unheard", "site=a&page=x&from=2015-09-12&to=2015-09-12"]) {
      const answer = (await get(`/views/visits?${query}`)).json();
      expect(answer).toMatchObject({ rows: [], total: { visits: 0, bytes: 0 }, contains: { complete: true } });
    }
  });

  it("answers from the speed view alone while there is no batch view", async () => {
    stores.pointers.clear();
    const answer = (await get("/views/visits?site=a&page=x")).json();
    expect(answer.total).toEqual({ visits: 4, bytes: 15 });
    expect(answer.contains).toEqual({ ...contains, version: null, horizon: { 0: 0, 1: 0 } });
  });

  it.each([
    ["page=x", "site", "site is missing"],
    ["site=a&page=x&site=b", "site", "site is given more than once"],
    ["site=a&page=x&user=me", "user", "there is no parameter user"],
    ["site=a&page=x&from=yesterday", "from", "from must be a date, or a time with its zone"],
    ["site=a&page=x&to=2015-09-12T08:00:00", "to", "to must be a date, or a time with its zone"],
    ["site=a&page=x&from=2015-02-30", "from", "from must be a date"],
    ["site=a&page=x&from=2015-09-12T08:30:00Z", "from", "from must be the start of a UTC hour"],
    ["site=a&page=x&granularity=day&to=2015-09-12T08:00:00Z", "to", "to must be the start of a UTC day"],
    ["site=a&page=x&granularity=all&to=2015-09-12T08:01:00Z", "to", "to must be the start of a UTC hour"],
    ["site=a&page=x&from=2015-09-13&to=2015-09-12", "from", "from must not be after to"],
    ["site=a&page=x&granularity=minute", "granularity", "granularity must be one of hour, day, all"],
    ["site=a&page=x&granularity=", "granularity", "granularity must be one of hour, day, all"],
    ["site=a&page=x&layer=fast", "layer", "layer must be one of merged, batch, speed"],
  ])("refuses %s and names %s", async (query, parameter, detail) => {
    const response = await get(`/views/visits?${query}`);
    expect(response.statusCode).toBe(400);
    expect(response.headers["content-type"]).toContain("application/problem+json");
    const problem = response.json();
    expect(problem).toMatchObject({ type: "about:blank", title: "Bad Request", status: 400, parameter });
    expect(problem.detail).toContain(detail);
    expect(problem.errors).toEqual([{ parameter, detail: problem.detail }]);
  });

  it("names every parameter that does not fit", async () => {
    const problem = (await get("/views/visits?page=x&layer=fast&limit=3")).json();
    expect(problem.errors.map((error: { parameter: string }) => error.parameter)).toEqual(["site", "layer", "limit"]);
  });
});

describe("GET /views/{view}/top", () => {
  it("gives the largest keys of both layers", async () => {
    const response = await get("/views/visits/top?measure=visits&limit=1");
    expect(response.json()).toMatchObject({
      view: "visits",
      measure: "visits",
      rows: [{ key: { site: "a", page: "x" }, value: 4 }],
      contains: { complete: true },
    });
    const bytes = (await get("/views/visits/top?measure=bytes")).json();
    expect(bytes.rows.map((row: { value: number }) => row.value)).toEqual([40, 15]);
  });

  it("keeps to the range", async () => {
    const top = (await get("/views/visits/top?measure=bytes&from=2015-09-12T09:00:00Z")).json();
    expect(top.rows).toEqual([{ key: { site: "a", page: "x" }, value: 10 }]);
  });

  it.each([
    ["", "measure", "measure is missing"],
    ["measure=likes", "measure", "measure must be one of visits, bytes"],
    ["measure=bytes&limit=0", "limit", "limit"],
    ["measure=bytes&limit=1001", "limit", "limit"],
    ["measure=bytes&limit=1.5", "limit", "limit"],
    ["measure=bytes&limit=1e2", "limit", "limit must be a whole number from 1 to 1000"],
    ["measure=bytes&limit=0x10", "limit", "limit"],
    ["measure=bytes&limit=%207", "limit", "limit"],
    ["measure=bytes&limit=-1", "limit", "limit"],
    ["measure=bytes&limit=", "limit", "limit"],
    ["measure=bytes&limit=1&limit=2", "limit", "limit is given more than once"],
    ["measure=bytes&__proto__=2", "__proto__", "there is no parameter __proto__"],
    ["measure=bytes&limit=few", "limit", "limit must be a whole number from 1 to 1000"],
    ["measure=bytes&site=a", "site", "there is no parameter site"],
    ["measure=bytes&from=2015-09-12T08:30:00Z", "from", "from must be the start of a UTC hour"],
  ])("refuses %s and names %s", async (query, parameter, detail) => {
    const response = await get(`/views/visits/top?${query}`);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ parameter });
    expect(response.json().detail).toContain(detail);
  });
});

describe("what is not there", () => {
  it("names the views for an unknown one", async () => {
    for (const path of ["/views/likes", "/views/likes/top?measure=x", "/views/%C3%BC"]) {
      const response = await get(path);
      expect(response.statusCode).toBe(404);
      expect(response.headers["content-type"]).toContain("application/problem+json");
      expect(response.json().detail).toContain("there is no view");
      expect(response.json().detail).toContain("visits");
    }
  });

  it("says where to look for other paths", async () => {
    const response = await get("/nowhere?x=1");
    expect(response.statusCode).toBe(404);
    expect(response.json().detail).toBe("there is nothing at /nowhere; /openapi.json lists what there is");
  });

  it("refuses a foreign Host", async () => {
    const response = await get("/views", "evil.example:8080");
    expect(response.statusCode).toBe(421);
    expect(response.json()).toMatchObject({ status: 421, title: "Misdirected Request" });
    expect((await get("/views", "localhost:8080")).statusCode).toBe(200);
  });
});

describe("a store that does not answer", () => {
  const failing = (call: keyof Stores, how: "fails" | "hangs") => {
    Object.assign(stores, {
      [call]: () => (how === "fails" ? Promise.reject(new Error("secret address refused")) : new Promise(() => {})),
    });
  };
  const cases = (["pointer", "progress", "speedRows", "batchSteps", "watermarks"] as const).flatMap((call) =>
    (["fails", "hangs"] as const).map((how) => [call, how] as const),
  );

  it.each(cases)("is a 503 that names it: %s %s", async (call, how) => {
    failing(call, how);
    const response = await get("/views/visits?site=a&page=x");
    expect(response.statusCode).toBe(503);
    expect(response.headers["content-type"]).toContain("application/problem+json");
    expect(response.json()).toEqual({
      type: "about:blank",
      title: "Service Unavailable",
      status: 503,
      detail: `${storeNames[call]} does not answer`,
      store: storeNames[call],
    });
  });

  it("writes one line of a store that is away, not one a question, and names how many failed", async () => {
    const lines: string[] = [];
    const other = await createServingLayer({
      ...{ views: [visits], stores, partitions: 2, chunkSize: 2, chunksPerEra: 2, storeTimeout: 50 },
      log: { write: (line) => lines.push(line) },
    });
    failing("watermarks", "fails");
    const path = `/views/visits?site=${"a".repeat(900)}&page=x&granularity=hour`;
    for (let question = 0; question < 30; question++) expect((await other.inject(path)).statusCode).toBe(503);
    await other.close();
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ store: "Kafka", failures: 1 });
    expect(lines[0]?.length).toBeLessThan(1_500);
  });

  it("is a 503 of who asks while too many wait, at once", async () => {
    const { promise: down, resolve: up } = Promise.withResolvers<void>();
    const read = stores.pointer.bind(stores);
    stores.pointer = async (of) => {
      await down;
      return read(of);
    };
    const busy = await createServingLayer({
      ...{ views: [visits], stores, partitions: 2, chunkSize: 2, chunksPerEra: 2 },
      ...{ parallelQuestions: 1, waitingQuestions: 2 },
    });
    const ask = () => busy.inject({ url: "/views/visits?site=a&page=x" });
    const asked = [ask(), ask(), ask()];
    await setImmediate();
    const refused = await ask();
    expect(refused.statusCode).toBe(503);
    expect(refused.headers["retry-after"]).toBe("1");
    expect(refused.json()).toMatchObject({ detail: "too many questions wait for their answer; ask again later" });
    up();
    expect((await Promise.all(asked)).map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
    await busy.close();
  });

  it("is a 503 of top and of the list, too", async () => {
    failing("batchTotals", "hangs");
    expect((await get("/views/visits/top?measure=bytes")).json()).toMatchObject({ status: 503, store: "Druid" });
    failing("pointer", "fails");
    expect((await get("/views")).json()).toMatchObject({ status: 503, store: "Cassandra" });
  });

  it("is a 422 where there are too many keys to rank them, which no store can help", async () => {
    Object.assign(stores, { batchTotals: () => Promise.reject(new TooMuchError("visits has more than 2 keys")) });
    const response = await get("/views/visits/top?measure=visits");
    expect(response.json()).toMatchObject({ status: 422, detail: "visits has more than 2 keys" });
  });

  it("does not matter to a layer that does not need it", async () => {
    failing("batchSteps", "fails");
    expect((await get("/views/visits?site=a&page=x&layer=speed")).statusCode).toBe(200);
    failing("progress", "fails");
    failing("speedRows", "fails");
    expect((await get("/views/visits?site=a&page=x&layer=batch")).json()).toMatchObject({
      status: 503,
      store: "Druid",
    });
  });

  it("shows in /readyz but not in /healthz", async () => {
    expect((await get("/readyz")).json()).toEqual({ status: "ready" });
    failing("batchReady", "hangs");
    failing("watermarks", "fails");
    const response = await get("/readyz");
    expect(response.statusCode).toBe(503);
    expect(response.json().detail).toContain("Kafka");
    expect(response.json().detail).toContain("Druid: no answer within 50 ms");
    expect((await get("/healthz")).json()).toEqual({ status: "ok" });
  });

  it("does not hide the other measurements", async () => {
    failing("archived", "fails");
    const text = (await get("/metrics")).body;
    expect(text).toContain('lambda_store_up{store="storage"} 0');
    expect(text).toContain('lambda_store_up{store="Kafka"} 1');
    expect(text).toContain('lambda_log_offset{partition="0"} 5');
  });
});

describe("a question that is wrong or asks for too much", () => {
  it("is a 400 that names the parameter if its percent signs are no UTF-8", async () => {
    for (const [query, name] of [
      ["site=%zz&page=x", "site"],
      ["site=a&page=%", "page"],
      ["site=a&page=100%", "page"],
      ["site=a&page=%ff", "page"],
      ["site=a&page=x&%c3=1", "%c3"],
    ]) {
      const response = await get(`/views/visits?${query}`);
      expect(response.statusCode, query).toBe(400);
      expect(response.json()).toMatchObject({ parameter: name, detail: expect.stringContaining("%25") });
    }
    expect((await get("/views/visits?site=100%25&page=x")).statusCode).toBe(200);
  });

  it("is a 400 for a day that does not exist", async () => {
    const response = await get("/views/visits?site=a&page=x&from=2026-02-30");
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ parameter: "from", detail: expect.stringContaining('it is "2026-02-30"') });
  });

  it("gets a short answer, however long it is", async () => {
    const long = "x".repeat(60_000);
    for (const [url, host] of [
      [`/views/visits?site=a&page=x&from=${long}`],
      [`/views/visits?site=a&page=x&${long}=1`],
      [`/views/visits?${Array.from({ length: 5_000 }, (_, index) => `p${index}=1`).join("&")}`],
      [`/views/visits?site=a&page=x&layer=${long}`],
      [`/views/visits?site=a&page=x&${long}=%zz`],
      [`/views/${long}`],
      [`/${long}`],
      [`/views/%zz${long}`],
      ["/views", long],
    ] as const) {
      const response = await get(url, host);
      expect(response.statusCode).toBeGreaterThanOrEqual(400);
      expect(response.statusCode).toBeLessThan(500);
      expect(response.body.length).toBeLessThan(5_000);
      expect(response.headers["content-type"]).toContain("application/problem+json");
    }
  });

  it("is answered for the longest key that is kept, and refused in words where it is longer", async () => {
    const origin = await app.listen({ host: "127.0.0.1", port: 0 });
    const { hostname, port } = new URL(origin);
    const ask = (path: string) =>
      new Promise<{ status: number | undefined; type: string | undefined; body: string }>((resolve, reject) => {
        const headers = { host: "127.0.0.1:8080" };
        request({ hostname, port, path, headers }, (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part) => parts.push(part));
          response.on("end", () => {
            const body = Buffer.concat(parts).toString();
            resolve({ status: response.statusCode, type: response.headers["content-type"], body });
          });
        })
          .on("error", reject)
          .end();
      });
    const kept = await ask(`/views/visits?site=a&page=${"%E2%82%AC".repeat(Math.floor(mostKeyBytes / 3))}`);
    expect(kept.status).toBe(200);
    const refused = await ask(`/views/visits?site=a&page=${"x".repeat(140_000)}`);
    expect(refused).toMatchObject({ status: 431, type: "application/problem+json" });
    expect(JSON.parse(refused.body)).toMatchObject({
      status: 431,
      detail: expect.stringContaining("more than 128768 bytes"),
    });
  });

  it("is a 422 with the bound where a key has more rows than one question reads, in either layer", async () => {
    Object.assign(stores, { batchSteps: () => Promise.reject(new TooMuchError("visits: more than 2 rows")) });
    expect((await get("/views/visits?site=a&page=x")).json()).toMatchObject({
      status: 422,
      detail: "visits: more than 2 rows",
    });
    const all = new SimulatedStores([log, []], [visits], 2, 2);
    all.views.get("visits")?.writeTo(0, 5);
    const serving = await createServingLayer({
      views: [visits],
      stores: all,
      partitions: 2,
      chunkSize: 2,
      chunksPerEra: 2,
      mostRows: 2,
      mostKeys: 1,
    });
    const key = await serving.inject("/views/visits?site=a&page=x");
    expect(key.json()).toMatchObject({ status: 422, detail: expect.stringContaining("more than 2 rows of the key") });
    expect(key.json().detail).toContain("from and to");
    const top = await serving.inject("/views/visits/top?measure=bytes");
    expect(top.json()).toMatchObject({ status: 422, detail: expect.stringContaining("more than 1 keys") });
    await serving.close();
  });

  it("is a 422 that names the measure where a sum is past what is kept exactly", async () => {
    const past = visits.decode([1, "-9223372036854775808"]);
    Object.assign(stores, { batchSteps: async () => ({ steps: [], total: past }) });
    expect((await get("/views/visits?site=a&page=x")).json()).toMatchObject({
      status: 422,
      detail: expect.stringMatching(/^bytes: the sum is, or was, past ±9223372036854775807 units/),
    });
  });

  it("is answered with all digits of a sum that a number cannot hold", async () => {
    const large = visits.decode([1, "9017094859382760"]);
    Object.assign(stores, { batchSteps: async () => ({ steps: [], total: large }) });
    const { total } = (await get("/views/visits?site=a&page=x")).json();
    expect(total).toEqual({ visits: 3, bytes: "9017094859382772" });
  });
});

describe("GET /metrics", () => {
  it("measures the log, both layers, the versions and the queries", async () => {
    await get("/views/visits?site=a&page=x");
    await get("/views/visits?site=a&layer=fast");
    stores.latest[0] = 7;
    const response = await get("/metrics");
    expect(response.headers["content-type"]).toContain("text/plain");
    for (const line of [
      'lambda_log_offset{partition="0"} 7',
      'lambda_archived_offset{partition="1"} 0',
      'lambda_dead_letters{partition="0"} 0',
      'lambda_horizon_offset{view="visits",partition="0"} 2',
      'lambda_speed_offset{view="visits",partition="0"} 5',
      'lambda_speed_chunks{view="visits",partition="0"} 2',
      'lambda_lag{view="visits",partition="0"} 2',
      'lambda_holes{view="visits"} 0',
      'lambda_version_info{view="visits",version="20150914T000000000",state="current"} 1',
      'lambda_store_up{store="Cassandra"} 1',
      'lambda_query_duration_seconds_count{route="key",view="visits",layer="merged",status="200"} 1',
      'lambda_query_duration_seconds_count{route="key",view="visits",layer="",status="400"} 1',
    ])
      expect(response.body).toContain(line);
  });
});

describe("GET /openapi.json", () => {
  it("documents every view's own parameters", async () => {
    const document = (await get("/openapi.json")).json();
    expect(document.openapi).toBe("3.1.0");
    expect(Object.keys(document.paths)).toEqual([
      "/views",
      "/views/visits",
      "/views/visits/top",
      "/healthz",
      "/readyz",
      "/metrics",
    ]);
    const parameters = document.paths["/views/visits"].get.parameters;
    expect(
      parameters.map(({ name, required }: { name: string; required: boolean }) => [name, required === true]),
    ).toEqual([
      ["site", true],
      ["page", true],
      ["from", false],
      ["to", false],
      ["granularity", false],
      ["layer", false],
    ]);
    expect(parameters[4].schema).toMatchObject({ type: "string", enum: ["hour", "day", "all"], default: "hour" });
    const { properties } = document.paths["/views/visits"].get.responses[200].content["application/json"].schema;
    const typesOf = (measure: string) =>
      JSON.stringify(properties.total.properties[measure]).match(/"(number|string|null)"/g);
    expect(typesOf("bytes")).toEqual(['"number"', '"string"', '"null"']);
    expect(typesOf("visits")).toEqual(['"number"', '"null"']);
    expect(Object.keys(document.paths["/views/visits"].get.responses)).toEqual(["200", "400", "503"]);
  });
});
