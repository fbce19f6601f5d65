import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { shellWords } from "../../../../components/shell-words.ts";
import { instanceEnvironment, instanceMarker } from "../../../../components/targets/local/environment.ts";
import { fileProblems } from "../../../../components/targets/local/instance.ts";
import { lastLines } from "../../../../components/targets/local/log.ts";
import { needsRestart } from "../../../../components/targets/local/service.ts";
import { type ServiceInputs, unwrapSecrets } from "../../../../components/targets/local/state.ts";

const inputs: ServiceInputs = {
  group: "a",
  stackFolder: "/stack",
  instance: "a",
  address: "127.9.0.1",
  configuration: "/stack/a/configuration",
  data: "/stack/data/a",
  logs: "/stack/a/logs",
  command: ["server"],
  environment: {},
  files: { "a.properties": { content: "a=1", secret: false } },
  prepare: [],
  ports: { client: 1 },
  readiness: { kind: "tcp", port: 1 },
  readinessTimeout: 10,
  memory: 10,
  stateful: true,
  deleteData: false,
  permanent: {},
  stopSignal: "SIGTERM",
  stopGrace: 1,
};

test("what the server is made of takes a restart, what only the deployment looks at does not", () => {
  expect(needsRestart(inputs, { ...inputs })).toBe(false);
  expect(needsRestart(inputs, { ...inputs, command: ["server", "-v"] })).toBe(true);
  expect(needsRestart(inputs, { ...inputs, files: {} })).toBe(true);
  expect(needsRestart(inputs, { ...inputs, readinessTimeout: 20, stopGrace: 3, memory: 20 })).toBe(false);
  expect(needsRestart(inputs, { ...inputs, stateful: false, deleteData: true })).toBe(false);
});

test("secrets are found however deep they lie", () => {
  const secret = (value: unknown) => ({
    "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
    value,
  });
  expect(unwrapSecrets({ a: [secret("x"), 1], b: secret({ c: secret(null) }) })).toEqual({
    a: ["x", 1],
    b: { c: null },
  });
});

test("a command reaches sh as it is", () => {
  const words = ["printf", "%s|", "it's", "a b", "$HOME", '"', "\\", ""];
  expect(execFileSync("sh", ["-c", shellWords(words)], { encoding: "utf8" })).toBe(`it's|a b|$HOME|"|\\||`);
});

test("files stay inside the configuration folder", () => {
  expect(fileProblems({ "a/b": 1, "c.d": 1 })).toEqual([]);
  expect(fileProblems({ "../x": 1, "/etc/passwd": 1, "a/../..": 1 })).toHaveLength(3);
});

test("instances of different stacks have different markers, and a passphrase reaches no server", () => {
  expect(instanceMarker("/one", "a")).not.toBe(instanceMarker("/two", "a"));
  process.env.PULUMI_CONFIG_PASSPHRASE ??= "open sesame";
  const environment = instanceEnvironment("m", { OWN: "1" });
  expect(environment).toMatchObject({ OWN: "1", LAMBDA_ARCHITECTURE_INSTANCE: "m", PATH: process.env.PATH });
  expect(Object.keys(environment).filter((name) => name.startsWith("PULUMI_"))).toEqual([]);
});

test("an error shows the last 20 lines that the log got since the start", async () => {
  const folder = mkdtempSync(join(tmpdir(), "log-"));
  try {
    const file = join(folder, "log");
    expect(await lastLines(file, 0)).toBe("  (nothing)");
    writeFileSync(
      file,
      `old\n${Array.from({ length: 30 }, (_, line) => `line ${line}`).join("\n")}\n${"x".repeat(500)}\n`,
    );
    const shown = (await lastLines(file, 4)).split("\n");
    expect(shown).toHaveLength(20);
    expect(shown[0]).toBe("  line 11");
    expect(shown[19]).toBe(`  ${"x".repeat(299)}…`);
    expect(await lastLines(file, 1 << 20)).toContain("line 29");
    writeFileSync(file, "old\n");
    expect(await lastLines(file, 4)).toBe("  (nothing)");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
