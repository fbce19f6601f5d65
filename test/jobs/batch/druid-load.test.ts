import { expect, test } from "vitest";
import { loadTask } from "../../../jobs/batch/druid-load.ts";
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
