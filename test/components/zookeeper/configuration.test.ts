import { expect, test } from "vitest";
import { myid, zooConfiguration } from "../../../components/zookeeper/configuration.ts";

test("a server alone runs without a quorum", () => {
  expect(zooConfiguration({ servers: ["127.9.0.1"], index: 0, data: "/data" })).toBe(`tickTime=2000
initLimit=10
syncLimit=5
dataDir=/data
clientPort=2181
clientPortAddress=127.9.0.1
admin.enableServer=false
4lw.commands.whitelist=ruok,srvr,mntr
autopurge.snapRetainCount=3
autopurge.purgeInterval=1
`);
});

test("servers of a quorum list each other and listen on their own address only", () => {
  const text = zooConfiguration({ servers: ["127.9.0.1", "127.9.0.2", "127.9.0.3"], index: 1, data: "/data" });
  expect(text).toContain("clientPortAddress=127.9.0.2\n");
  expect(text).toContain("server.1=127.9.0.1:2888:3888\nserver.2=127.9.0.2:2888:3888\nserver.3=127.9.0.3:2888:3888\n");
});

test("servers are numbered from 1", () => {
  expect(myid(0)).toBe("1\n");
  expect(myid(2)).toBe("3\n");
});
