import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  clientSite,
  coreSite,
  dataNodeSite,
  fileSystemUri,
  formatCommand,
  nameNodeSite,
} from "../../../components/hdfs/configuration.ts";
import { hadoopProperties } from "../../support/hadoop-properties.ts";

const configuration = { nameNode: "127.9.0.1", replication: 2 };

const crossSite = {
  "dfs.webhdfs.rest-csrf.enabled": "true",
  "dfs.webhdfs.rest-csrf.custom-header": "X-XSRF-HEADER",
  "dfs.webhdfs.rest-csrf.browser-useragents-regex": "^Mozilla.*,^Opera.*",
  "dfs.webhdfs.rest-csrf.methods-to-ignore": "OPTIONS",
};

test("the NameNode listens on its own address only", () => {
  expect(hadoopProperties(nameNodeSite(configuration, "/data"))).toMatchObject({
    "dfs.replication": "2",
    "dfs.namenode.name.dir": "file:///data/name",
    "dfs.namenode.rpc-address": "127.9.0.1:8020",
    "dfs.namenode.http-address": "127.9.0.1:9870",
  });
});

test("no browser reads or changes a file without the header that no page of a foreign site can send", () => {
  for (const site of [nameNodeSite(configuration, "/data"), dataNodeSite(configuration, "127.9.0.7", "/data")])
    expect(hadoopProperties(site)).toMatchObject(crossSite);
});

test("a DataNode listens on its own address only and finds the NameNode", () => {
  expect(hadoopProperties(dataNodeSite(configuration, "127.9.0.7", "/data"))).toEqual({
    ...crossSite,
    "dfs.replication": "2",
    "dfs.namenode.rpc-address": "127.9.0.1:8020",
    "dfs.datanode.data.dir": "file:///data/blocks",
    "dfs.datanode.hostname": "127.9.0.7",
    "dfs.datanode.address": "127.9.0.7:9866",
    "dfs.datanode.http.address": "127.9.0.7:9864",
    "dfs.datanode.ipc.address": "127.9.0.7:9867",
    "dfs.datanode.synconclose": "true",
  });
});

test("folders with spaces are given as URIs", () => {
  const site = hadoopProperties(dataNodeSite(configuration, "127.9.0.7", "/my data"));
  expect(site["dfs.datanode.data.dir"]).toBe("file:///my%20data/blocks");
});

test("clients are told where and how often", () => {
  expect(hadoopProperties(coreSite(fileSystemUri("127.9.0.1")))).toEqual({ "fs.defaultFS": "hdfs://127.9.0.1:8020" });
  expect(hadoopProperties(clientSite(3))).toEqual({ "dfs.replication": "3" });
});

describe("the format", () => {
  let data: string;
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), "hdfs format-"));
  });
  afterEach(() => rmSync(data, { recursive: true, force: true }));

  const format = () => {
    const [program, ...rest] = formatCommand(["echo", "formatted", "a b"], data);
    const { status, stdout } = spawnSync(program as string, rest, { encoding: "utf8" });
    return { status, stdout };
  };

  test("runs on an empty folder", () => {
    expect(format()).toEqual({ status: 0, stdout: "formatted a b\n" });
  });

  test("runs again where one was stopped half-way", () => {
    mkdirSync(join(data, "name/current"), { recursive: true });
    writeFileSync(join(data, "name/current/VERSION"), "");
    expect(format()).toEqual({ status: 0, stdout: "formatted a b\n" });
  });

  test("leaves a file system alone", () => {
    mkdirSync(join(data, "name/current"), { recursive: true });
    writeFileSync(join(data, "name/current/fsimage_0000000000000000042"), "");
    expect(format()).toEqual({ status: 0, stdout: "" });
  });

  test("fails if the command does", () => {
    const [program, ...rest] = formatCommand(["false"], data);
    expect(spawnSync(program as string, rest).status).toBe(1);
  });
});
