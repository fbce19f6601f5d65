import { delimiter } from "node:path";
import { describe, expect, test } from "vitest";
import {
  executables,
  find,
  go,
  isAtLeast,
  javaHomeProblem,
  parseVersion,
  prerequisiteReport,
  prerequisites,
} from "../../../scripts/setup/prerequisites.mjs";

describe("parseVersion", () => {
  test.each([
    ["javac 17.0.15\n", "javac ", [17, 0, 15]],
    ["javac 1.8.0_402", "javac ", [8, 0, 402]],
    ["javac 21", "javac ", [21]],
    ["Picked up JAVA_TOOL_OPTIONS: -Xmx512m\njavac 17.0.15", "javac ", [17, 0, 15]],
    ["\u001b[1mApache Maven 3.8.7\u001b[m\nMaven home: /usr/share/maven", "Apache Maven ", [3, 8, 7]],
    ["go version go1.26.8 linux/amd64", "go version go", [1, 26, 8]],
    ["npm warn Unknown user config\n11.19.1\n", "", [11, 19, 1]],
    ["v3.250.0\n", "v", [3, 250, 0]],
    ["v3.201.0-dev.0", "v", [3, 201, 0]],
  ])("reads %j", (text, announcement, version) => {
    expect(parseVersion(text, announcement)).toEqual(version);
  });

  test("finds nothing in other words", () => {
    expect(parseVersion("xcode-select: note: no developer tools were found at 17.0", "javac ")).toBeUndefined();
  });
});

test.each([
  [[17, 0, 15], [17], true],
  [[17], [17, 0, 0], true],
  [[3, 10, 0], [3, 6, 3], true],
  [[3, 6], [3, 6, 3], false],
  [[16, 9, 9], [17], false],
])("%j is at least %j: %j", (version, least, expected) => {
  expect(isAtLeast(version, least)).toBe(expected);
});

describe("prerequisiteReport", () => {
  const [node, npm, jdk, maven] = prerequisites({});
  if (!node || !npm || !jdk || !maven) throw new Error("a prerequisite is missing");

  test("says nothing when all is there", () => {
    const findings = [
      { prerequisite: node, version: [20, 1, 0] },
      { prerequisite: maven, version: [3, 8, 7] },
    ];
    expect(prerequisiteReport(findings, "debian")).toBeUndefined();
  });

  test("names everything that is missing or too old at once, with the fix", () => {
    const findings = [
      { prerequisite: node, version: [18, 20, 1] },
      { prerequisite: npm, version: [10, 0, 0] },
      { prerequisite: jdk, version: undefined },
      { prerequisite: maven, version: undefined },
      { prerequisite: go, version: undefined },
    ];
    expect(prerequisiteReport(findings, "debian")).toBe(
      [
        "This machine lacks what the project needs:",
        "  Node: is 18.20.1, 20 or newer is needed; apt install nodejs npm (from Debian 13), or see nodejs.org",
        "  JDK: was not found, 17 or newer is needed; apt install openjdk-17-jdk-headless",
        "  Maven: was not found, 3.6.3 or newer is needed; apt install maven",
        "  Go (to build the Pulumi CLI, which is not on PATH and cannot be downloaded): was not found, 1.21 or newer is needed; apt install golang (from Debian 13) or see go.dev, or install Pulumi",
      ].join("\n"),
    );
  });
});

test("the JDK is looked for where JAVA_HOME says", () => {
  const jdk = prerequisites({ JAVA_HOME: "/opt/jdk" }).find(({ name }) => name === "JDK");
  expect(jdk?.command).toEqual(["/opt/jdk/bin/javac", "-version"]);
});

test("find gives the version of what runs, and none of what does not", async () => {
  const node = { ...go, command: [process.execPath, "--version"], announcement: "v" };
  const nothing = { ...go, command: ["/nowhere/program", "--version"] };
  const findings = await find([node, nothing]);
  expect(findings.map(({ version }) => version?.join("."))).toEqual([process.versions.node, undefined]);
});

test("executables are found on PATH, in order, and by their absolute path", () => {
  expect(executables("sh", ["/nowhere", "/bin"].join(delimiter))).toEqual(["/bin/sh"]);
  expect(executables("/bin/sh", "/nowhere")).toEqual(["/bin/sh"]);
  expect(executables("/nowhere/sh")).toEqual([]);
});

test("a JAVA_HOME that leads nowhere is named as that", () => {
  expect(javaHomeProblem({})).toBeUndefined();
  expect(javaHomeProblem({ JAVA_HOME: "" })).toBeUndefined();
  expect(javaHomeProblem({ JAVA_HOME: "/nowhere" })).toBe(
    "JAVA_HOME is /nowhere, which is not there. Fix: set it to the folder of a JDK, 17 or newer, or unset it.",
  );
  expect(javaHomeProblem({ JAVA_HOME: "/tmp" })).toMatch(/^JAVA_HOME is \/tmp, which is the folder of no JDK/);
});
