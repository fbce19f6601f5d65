import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  initialMembers,
  member,
  myid,
  prepareCommand,
  zooConfiguration,
} from "../../../components/zookeeper/configuration.ts";

const servers = ["127.9.0.1", "127.9.0.2", "127.9.0.3"];
const first = "server.1=127.9.0.1:2888:3888:participant;127.9.0.1:2181";

test("a server's settings name no members: they may change while it runs", () => {
  expect(zooConfiguration("/data")).toBe(`tickTime=2000
initLimit=10
syncLimit=5
dataDir=/data
standaloneEnabled=false
reconfigEnabled=true
skipACL=yes
admin.enableServer=false
4lw.commands.whitelist=ruok,srvr,mntr,conf
autopurge.snapRetainCount=3
autopurge.purgeInterval=1
`);
});

test("servers are numbered from 1, and listen on their own address only", () => {
  expect(myid(0)).toBe("1\n");
  expect(myid(2)).toBe("3\n");
  expect(member("127.9.0.3", 2)).toBe("server.3=127.9.0.3:2888:3888:participant;127.9.0.3:2181");
});

test("the first server begins alone, the others as its listeners, however many there are", () => {
  expect(initialMembers(servers, 0)).toBe(`${first}\n`);
  expect(initialMembers(servers.slice(0, 1), 0)).toBe(`${first}\n`);
  expect(initialMembers(servers, 2)).toBe(`${first}\nserver.3=127.9.0.3:2888:3888:observer;127.9.0.3:2181\n`);
});

describe("the preparation", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "zookeeper "));
    for (const each of ["configuration", "data"]) mkdirSync(join(folder, each));
    writeFileSync(join(folder, "configuration/zoo.cfg"), "tickTime=2000\n");
    writeFileSync(join(folder, "configuration/myid"), "2\n");
    writeFileSync(join(folder, "configuration/members"), initialMembers(servers, 1));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const data = (name: string) => join(folder, "data", name);
  const prepare = () => {
    const [program, ...rest] = prepareCommand(join(folder, "configuration"), join(folder, "data"));
    const { status, stderr } = spawnSync(program as string, rest, { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    return [readFileSync(data("zoo.cfg"), "utf8"), readFileSync(data("myid"), "utf8")];
  };

  test("gives a new server the members that it begins with", () => {
    expect(prepare()).toEqual([`tickTime=2000\ndynamicConfigFile=${data("zoo.cfg.dynamic")}\n`, "2\n"]);
    expect(readFileSync(data("zoo.cfg.dynamic"), "utf8")).toBe(initialMembers(servers, 1));
  });

  test("keeps the members that ZooKeeper has noted", () => {
    const noted = servers.map((address, index) => `${member(address, index)}\n`).join("");
    writeFileSync(data("zoo.cfg.dynamic.100000003"), noted);
    writeFileSync(data("zoo.cfg"), `tickTime=1\ndynamicConfigFile=${data("zoo.cfg.dynamic.100000003")}\n`);
    expect(prepare()[0]).toBe(`tickTime=2000\ndynamicConfigFile=${data("zoo.cfg.dynamic.100000003")}\n`);
    expect(readFileSync(data("zoo.cfg.dynamic.100000003"), "utf8")).toBe(noted);
  });

  test("has a server that had left begin as a new one", () => {
    // ZooKeeper ends no file with a newline.
    writeFileSync(data("zoo.cfg.dynamic.200000001"), first);
    writeFileSync(data("zoo.cfg"), `dynamicConfigFile=${data("zoo.cfg.dynamic.200000001")}\n`);
    expect(prepare()[0]).toBe(`tickTime=2000\ndynamicConfigFile=${data("zoo.cfg.dynamic")}\n`);
    expect(readFileSync(data("zoo.cfg.dynamic"), "utf8")).toBe(initialMembers(servers, 1));
    expect(existsSync(data("zoo.cfg.dynamic.200000001"))).toBe(false);
  });
});
