import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { run, SetupError } from "./progress.mjs";

/**
 * A version's numbers, most significant first, e.g. `[17, 0, 15]`.
 *
 * @typedef {readonly number[]} Version
 */

/**
 * A program that must be on the machine.
 *
 * @typedef {object} Prerequisite
 * @property {string} name for the report, e.g. `JDK`
 * @property {Version} least the oldest version that does
 * @property {readonly string[]} command prints the version, on a line of its own or at its start
 * @property {string} announcement what stands before the version on that line
 * @property {{debian: string, macos: string, other: string}} fix how to install it
 */

/**
 * What was found of a prerequisite: its version, or undefined if it is not there or does not run.
 *
 * @typedef {object} Finding
 * @property {Prerequisite} prerequisite
 * @property {Version | undefined} version
 */

/** @typedef {"debian" | "macos" | "other"} System */

/**
 * The prerequisites of the whole project, but for Go, which not every machine needs.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {Prerequisite[]}
 */
export function prerequisites(environment = process.env) {
  return [
    {
      name: "Node",
      least: [20],
      command: [process.execPath, "--version"],
      announcement: "v",
      fix: {
        debian: "apt install nodejs npm (from Debian 13), or see nodejs.org",
        macos: "brew install node",
        other: "see nodejs.org",
      },
    },
    {
      name: "npm",
      least: [9],
      command: ["npm", "--version"],
      announcement: "",
      fix: { debian: "apt install npm", macos: "brew install node", other: "it comes with Node, see nodejs.org" },
    },
    {
      name: "JDK",
      least: [17],
      // Maven compiles with this one, so the servers run on it too: a JRE is not enough.
      command: [environment.JAVA_HOME ? join(environment.JAVA_HOME, "bin", "javac") : "javac", "-version"],
      announcement: "javac ",
      fix: {
        debian: "apt install openjdk-17-jdk-headless",
        macos: "brew install openjdk@17, then set JAVA_HOME",
        other: "see adoptium.net",
      },
    },
    {
      name: "Maven",
      least: [3, 6, 3],
      command: ["mvn", "--version"],
      announcement: "Apache Maven ",
      fix: { debian: "apt install maven", macos: "brew install maven", other: "see maven.apache.org" },
    },
  ];
}

/**
 * Go, which builds the Pulumi CLI where it can be neither found nor downloaded. Any Go from 1.21 fetches the version
 * that the modules ask for.
 *
 * @type {Prerequisite}
 */
export const go = {
  name: "Go (to build the Pulumi CLI, which is not on PATH and cannot be downloaded)",
  least: [1, 21],
  command: ["go", "version"],
  announcement: "go version go",
  fix: {
    debian: "apt install golang (from Debian 13) or see go.dev, or install Pulumi",
    macos: "brew install pulumi, or brew install go",
    other: "see go.dev, or install Pulumi",
  },
};

/**
 * What is wrong with JAVA_HOME, in one line: Maven and the servers take it where it is set, whatever is on PATH.
 *
 * @param {NodeJS.ProcessEnv} environment
 * @returns {string | undefined} undefined if it is not set, or the folder of a JDK
 */
export function javaHomeProblem(environment = process.env) {
  const { JAVA_HOME: home } = environment;
  if (!home || isExecutable(join(home, "bin", "javac"))) return undefined;
  const is = existsSync(home) ? "is the folder of no JDK: it has no bin/javac" : "is not there";
  return `JAVA_HOME is ${home}, which ${is}. Fix: set it to the folder of a JDK, 17 or newer, or unset it.`;
}

/**
 * The version that a program prints: `parseVersion("javac 17.0.15", "javac ")` is [17, 0, 15]. Other lines, such as
 * warnings, are passed over. The JDK's old way of counting is put straight: `1.8.0_402` is [8, 0, 402].
 *
 * @param {string} text
 * @param {string} announcement what stands before the version on its line
 * @returns {Version | undefined} undefined if there is none
 */
export function parseVersion(text, announcement) {
  const line = new RegExp(`^${announcement}(\\d+(?:[._]\\d+)*)`, "m");
  const numbers = line.exec(stripVTControlCharacters(text))?.[1]?.split(/[._]/).map(Number);
  return announcement === "javac " && numbers?.[0] === 1 ? numbers.slice(1) : numbers;
}

/**
 * Whether a version is as new as `least`; numbers that are not given count as 0.
 *
 * @param {Version} version
 * @param {Version} least
 */
export function isAtLeast(version, least) {
  for (let index = 0; index < Math.max(version.length, least.length); index++) {
    const difference = (version[index] ?? 0) - (least[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/**
 * Names everything that is missing or too old at once, each with its fix.
 *
 * @param {readonly Finding[]} findings
 * @param {System} system
 * @returns {string | undefined} undefined if nothing is wrong
 */
export function prerequisiteReport(findings, system) {
  const lines = findings.flatMap(({ prerequisite, version }) => {
    const { name, least, fix } = prerequisite;
    if (version !== undefined && isAtLeast(version, least)) return [];
    const state = version === undefined ? "was not found" : `is ${version.join(".")}`;
    return [`  ${name}: ${state}, ${least.join(".")} or newer is needed; ${fix[system]}`];
  });
  if (lines.length === 0) return undefined;
  return ["This machine lacks what the project needs:", ...lines].join("\n");
}

/**
 * Looks for the prerequisites.
 *
 * @param {readonly Prerequisite[]} wanted
 * @returns {Promise<Finding[]>}
 */
export async function find(wanted) {
  return await Promise.all(
    wanted.map(async (prerequisite) => {
      const [program = "", ...args] = prerequisite.command;
      const version = await run(program, args, { timeout: 30_000 }).then(
        (text) => parseVersion(text, prerequisite.announcement),
        () => undefined,
      );
      return { prerequisite, version };
    }),
  );
}

/** @returns {System} */
export function system() {
  if (process.platform === "darwin") return "macos";
  if (process.platform === "win32") {
    throw new SetupError("Windows itself is not supported: use the Windows Subsystem for Linux.");
  }
  try {
    return /debian/.test(readFileSync("/etc/os-release", "utf8")) ? "debian" : "other";
  } catch {
    return "other";
  }
}

/**
 * The absolute paths of all the executables of that name on PATH, in order.
 *
 * @param {string} name or an absolute path, which is taken as it is
 * @param {string} [path] default: this process's PATH
 * @returns {string[]}
 */
export function executables(name, path = process.env.PATH ?? "") {
  if (isAbsolute(name)) return isExecutable(name) ? [name] : [];
  return path
    .split(delimiter)
    .filter((folder) => folder !== "")
    .map((folder) => join(folder, name))
    .filter(isExecutable);
}

/** @param {string} file */
export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
