import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bindAgent } from "../../../components/bind-agent/index.ts";

const folder = mkdtempSync(join(tmpdir(), "bind-agent-"));
const jar = join(folder, "target/bind-agent.jar");
const probe = fileURLToPath(new URL("./Probe.java", import.meta.url));

/** The machine's default JDK, and further ones that JAVA_HOME_17, JAVA_HOME_21, JAVA_HOME_25 name. */
const javas = [
  "java",
  ...[17, 21, 25]
    .map((version) => `${process.env[`JAVA_HOME_${version}`]}/bin/java`)
    .filter((java) => existsSync(java)),
];

beforeAll(() => {
  cpSync(bindAgent.parts.lib as string, folder, { recursive: true });
  execFileSync("mvn", ["-q", "-B", "package"], { cwd: folder });
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(javas)("the bind agent in %s", (java) => {
  it("binds every kind of server and of connection to its address, and leaves chosen addresses alone", () => {
    const output = execFileSync(java, [`-javaagent:${jar}=127.24.7.7`, probe, "127.24.9.9"], { encoding: "utf8" });
    const addresses = Object.fromEntries(
      output
        .trim()
        .split("\n")
        .map((line) => line.split("=") as [string, string]),
    );
    const { "ServerSocket(other address)": server, "Socket bound before": socket, ...rest } = addresses;
    expect([server, socket]).toEqual(["127.24.9.9", "127.24.9.9"]);
    expect(Object.keys(rest)).toHaveLength(11);
    expect(new Set(Object.values(rest))).toEqual(new Set(["127.24.7.7"]));
  });

  it.each([
    ["no address", "", "no address"],
    ["the wildcard address", "=0.0.0.0", "is the wildcard address"],
    ["an address of no interface", "=192.0.2.1", "Cannot assign requested address"],
    ["an unknown host", "=host.invalid", "host.invalid"],
  ])("does not let the JVM start with %s", (_, argument, message) => {
    const { status, stderr } = spawnSync(java, [`-javaagent:${jar}${argument}`, probe, "127.0.0.1"], {
      encoding: "utf8",
    });
    expect(status).toBe(70);
    expect(stderr).toContain(message);
  });
});
