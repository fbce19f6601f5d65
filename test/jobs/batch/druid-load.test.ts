import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { DruidCoordinator } from "../../../jobs/batch/druid-coordinator.ts";
import { loadTask, loadVersion } from "../../../jobs/batch/druid-load.ts";
import { syncDisks } from "../../../jobs/batch/sync-disks.ts";
import { count, distinct } from "../../../jobs/measures/index.ts";
import { view } from "../../../jobs/views/view.ts";

test("the task reads the view's rows into one time chunk of a datasource of their own", () => {
  const task = loadTask({
    view: view<{ time: string; shop: string; buyer: string }>({
      name: "sales",
      time: (sale) => sale.time,
      granularity: "day",
      key: { shop: (sale) => sale.shop },
      measures: { sales: count(), buyers: distinct((sale) => sale.buyer) },
    }),
    version: {
      version: "20261123T170509042",
      datasource: "sales_0123abcd_20261123T170509042",
      horizon: {},
      rows: 3,
      lost: [],
    },
    urls: ["http://namenode:9870/webhdfs/v1/batch/20261123T170509042/part-00000?op=OPEN"],
  });
  expect(task).toMatchInlineSnapshot(`
    {
      "id": "load_sales_0123abcd_20261123T170509042",
      "spec": {
        "dataSchema": {
          "dataSource": "sales_0123abcd_20261123T170509042",
          "dimensionsSpec": {
            "dimensions": [
              {
                "multiValueHandling": "ARRAY",
                "name": "shop",
                "type": "string",
              },
              {
                "name": "sales",
                "type": "long",
              },
              {
                "createBitmapIndex": false,
                "name": "buyers",
                "type": "string",
              },
            ],
          },
          "granularitySpec": {
            "queryGranularity": "NONE",
            "rollup": false,
            "segmentGranularity": "ALL",
          },
          "metricsSpec": [],
          "timestampSpec": {
            "column": "__time",
            "format": "millis",
          },
          "transformSpec": {
            "filter": {
              "column": "view",
              "matchValue": "sales",
              "matchValueType": "STRING",
              "type": "equals",
            },
          },
        },
        "ioConfig": {
          "appendToExisting": false,
          "inputFormat": {
            "type": "json",
          },
          "inputSource": {
            "type": "http",
            "uris": [
              "http://namenode:9870/webhdfs/v1/batch/20261123T170509042/part-00000?op=OPEN",
            ],
          },
          "type": "index_parallel",
        },
        "tuningConfig": {
          "logParseExceptions": true,
          "maxParseExceptions": 0,
          "partitionsSpec": {
            "type": "dynamic",
          },
          "type": "index_parallel",
        },
      },
      "type": "index_parallel",
    }
  `);
});

test("a version is on the disks before anything names it: Druid leaves that to the system", async () => {
  const steps: string[] = [];
  let rows = 1;
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    if (path.endsWith("/status")) response.end('{"status":{"statusCode":"SUCCESS"}}');
    else if (path.endsWith("/sql")) {
      steps.push(`${rows} rows`);
      response.end(`[${rows++}]\n\n`);
    } else response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sales = view<{ time: string; shop: string }>({
    ...{ name: "sales", granularity: "day", time: (sale) => sale.time },
    ...{ key: { shop: (sale) => sale.shop }, measures: { sales: count() } },
  });
  const version = { version: "20261123T170509042", datasource: "sales_1", horizon: {}, rows: 2, lost: [] };
  const toDisks = async () => {
    await syncDisks();
    steps.push("on the disks");
  };
  try {
    await loadVersion(
      { coordinator: new DruidCoordinator(url), broker: url, toDisks },
      { view: sales, version, urls: [] },
    );
  } finally {
    server.close();
  }
  expect(steps).toEqual(["1 rows", "2 rows", "on the disks"]);
});

test("where the system has no program for it, nothing is written to the disks, and a failure of it is one", async () => {
  await syncDisks("there-is-no-such-program");
  await expect(syncDisks("false")).rejects.toThrow("Command failed: false");
});
