/**
 * Makes an ensemble's members those that it shall have, without stopping it. Running it again changes nothing.
 *
 * `membership.ts --members FILE --java JAVA --class-path PATH [--check]`, FILE having a member a line as in ZooKeeper's
 * dynamic configuration, all with a vote. With `--check` nothing is changed: exit code 1 with what is to do.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runTaskProgram } from "../task-program.ts";
import { membersOf, sameMembers } from "./membership-plan.ts";

/** Milliseconds until a new server must have caught up with the others. */
const patience = 120_000;

async function main(): Promise<readonly string[]> {
  const text = { type: "string", default: "" } as const;
  const { values } = parseArgs({
    options: { members: text, java: text, "class-path": text, check: { type: "boolean", default: false } },
  });
  const wanted = membersOf(readFileSync(values.members, "utf8"));
  const found = await currentMembers(wanted);
  if (sameMembers(wanted, found)) {
    console.log(`the ${found.length} members are as they shall be`);
    return [];
  }
  const difference = `the ensemble is ${found.join(" ")} instead of ${wanted.join(" ")}`;
  if (values.check) return [difference];
  console.log(difference);
  for (const deadline = Date.now() + patience; ; await sleep(1_000)) {
    const answer = await reconfigure(values.java, values["class-path"], wanted);
    if (sameMembers(wanted, await currentMembers(wanted).catch(() => []))) break;
    if (Date.now() > deadline) throw new Error(`${difference}, and ZooKeeper does not change it:\n${answer}`);
  }
  console.log(`now it has ${wanted.length} members`);
  return [];
}

/** The members as the first server that answers knows them: the first one always stays. */
async function currentMembers(wanted: readonly string[]): Promise<string[]> {
  const [, host = "", port = ""] = /;([^;]+):(\d+)$/.exec(wanted[0] ?? "") ?? [];
  return membersOf(await fourLetterWord(host, Number(port), "conf"));
}

/** Has ZooKeeper's own client change the members. Returns what it said. */
function reconfigure(java: string, classPath: string, wanted: readonly string[]): Promise<string> {
  const [, server = ""] = /;([^;]+)$/.exec(wanted[0] ?? "") ?? [];
  const flags = ["-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"];
  const logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
  const client = ["org.apache.zookeeper.ZooKeeperMain", "-server", server, "reconfig", "-members", wanted.join(",")];
  return new Promise((resolve) => {
    execFile(java, [...flags, logging, "-cp", classPath, ...client], { timeout: 30_000 }, (_, stdout, stderr) =>
      resolve(`${stdout}\n${stderr}`.trim()),
    );
  });
}

function fourLetterWord(host: string, port: number, word: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect({ host, port, timeout: 5_000 }, () => socket.write(word));
    socket
      .setEncoding("utf8")
      .on("data", (part) => {
        answer += part;
      })
      .on("end", () => resolve(answer))
      .on("error", reject)
      .on("timeout", () => socket.destroy(new Error(`${host}:${port} does not answer`)));
  });
}

await runTaskProgram(main);
