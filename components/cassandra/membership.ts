/**
 * Makes the nodes of a cluster's ring those that it shall have, and its rows have their copies: keyspaces get their
 * number of copies, with Cassandra's repairs; then nodes that are not wanted leave the ring, one after the other, and
 * hand their rows to the others. Ends when that is so: then a node that is not wanted can go. Running it again changes
 * nothing.
 *
 * `membership.ts --contact-points HOST:PORT,… --local-data-center NAME --keyspaces FILE --node-data FOLDER --state FOLDER
 * --java JAVA --class-path PATH [--check]`. FILE is JSON as of `wantedCopiesSchema`, in a folder with what nodetool
 * needs. The data folders of all nodes lie beside `--node-data`, the first one's. `--state` keeps what a run that is
 * interrupted leaves to the next. With `--check` nothing is changed: exit code 1 with one line for each thing to do.
 */
import { lookup } from "node:dns/promises";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import type { Client } from "cassandra-driver";
import { runTaskProgram, untilNothingIsLeft } from "../task-program.ts";
import { leftMarker, passwordFile } from "./configuration.ts";
import { execute, messages, replicationsOf, withCluster } from "./cql.ts";
import {
  type Cluster,
  keyspacesInTheWay,
  membershipProblems,
  missingNodes,
  replicationSteps,
  type WantedCluster,
} from "./membership-plan.ts";
import { type NodetoolArgs, nodetool } from "./nodetool.ts";
import { wantedCopiesSchema } from "./schema-plan.ts";

/** Milliseconds that nodes have to be in the ring after they are ready, or after they were started again. */
const joinTimeout = 300_000;

/** The bean of a node's Java management that has it join, leave and stop. */
const storageService = "org.apache.cassandra.db:type=StorageService";

/** Whom to ask, and what to ask with. */
interface Means {
  readonly client: Client;
  readonly wanted: WantedCluster;
  /** The data folder of the first node. */
  readonly nodeData: string;
  /** The file that is there as long as the copies of rows may differ. */
  readonly repairDue: string;
  readonly tool: NodetoolArgs;
}

async function main(): Promise<readonly string[]> {
  const text = { type: "string", default: "" } as const;
  const { values } = parseArgs({
    options: {
      "contact-points": text,
      "local-data-center": text,
      keyspaces: text,
      "node-data": text,
      state: text,
      java: text,
      "class-path": text,
      check: { type: "boolean", default: false },
    },
  });
  const contactPoints = values["contact-points"].split(",");
  const dataCenter = values["local-data-center"];
  const keyspaces = wantedCopiesSchema.parse(JSON.parse(readFileSync(values.keyspaces, "utf8")));
  const members = await Promise.all(contactPoints.map(addressOf));
  return withCluster(contactPoints, dataCenter, async (client) => {
    const means: Means = {
      client,
      wanted: { members, dataCenter, keyspaces },
      nodeData: values["node-data"],
      repairDue: join(values.state, "repair-due"),
      tool: {
        java: values.java,
        classPath: values["class-path"],
        configuration: dirname(values.keyspaces),
        home: values.state,
      },
    };
    if (values.check) return membershipProblems(means.wanted, await currentCluster(means));
    await nodesJoined(means);
    const left = missingNodes((await currentCluster(means)).members, members);
    if (left.length > 0) {
      const problems = keyspacesInTheWay(means.wanted, await currentCluster(means));
      if (problems.length > 0) throw new Error(problems.join("\n"));
    }
    await copyRows(means);
    for (const address of left) await leave(means, address);
    await noteThoseThatLeft(means);
    console.log(`the ring is ${members.join(", ")}${left.length > 0 ? `; ${left.join(", ")} left it` : ""}`);
    return [];
  });
}

/** The IP address under which a node is known to the others. */
async function addressOf(contactPoint: string): Promise<string> {
  return (await lookup(contactPoint.replace(/:\d+$/, ""), 4)).address;
}

/** The cluster as one of the wanted nodes knows it. */
async function currentCluster({ client, wanted }: Means): Promise<Cluster> {
  const host = client.hosts
    .values()
    .find((each) => each.isUp() && wanted.members.includes(each.address.replace(/:\d+$/, "")));
  if (host === undefined) throw new Error(`none of the nodes ${wanted.members.join(", ")} takes queries`);
  const ask = async (query: string) => (await client.execute(query, [], { host, isIdempotent: true })).rows;
  const [[local], peers] = await Promise.all([
    ask("SELECT broadcast_address FROM system.local"),
    ask("SELECT peer, tokens FROM system.peers"),
  ]);
  // One without tokens is only about to join.
  const others = peers.filter(({ tokens }) => tokens?.length > 0).map(({ peer }) => String(peer));
  return { members: [String(local?.broadcast_address), ...others], replications: await replicationsOf(client) };
}

/** Waits for the wanted nodes. One that has left and still runs, since it was to go, is started again first. */
async function nodesJoined(means: Means): Promise<void> {
  const missing = async () => missingNodes(means.wanted.members, (await currentCluster(means)).members);
  for (const node of nodeFolders(means.nodeData, await missing())) {
    const state = await nodetool(means.tool, node, "info").catch(() => "");
    if (!/^Bootstrap state\s*:\s*DECOMMISSIONED/m.test(state)) continue;
    console.log(`node ${node.address} has left the ring and is started again`);
    await writeFile(join(node.data, leftMarker), "");
    // By the method that nodetool's `stopdaemon` would call, were that not to fail before. Its supervisor starts it again.
    await nodetool(means.tool, node, "sjk", "mx", "-b", storageService, "-mc", "-op", "stopDaemon");
  }
  await untilNothingIsLeft(
    async () => (await missing()).map((address) => `node ${address} is not in the ring; see its log`),
    joinTimeout,
  );
}

/** Gives every row its copies. */
async function copyRows(means: Means): Promise<void> {
  const { client, wanted, repairDue } = means;
  const replications = await replicationsOf(client);
  const due = existsSync(repairDue);
  const steps = wanted.keyspaces.flatMap((keyspace) => {
    const found = replications.get(keyspace.name);
    return found === undefined ? [] : replicationSteps(keyspace, wanted.dataCenter, found, due);
  });
  if (steps.length > 0) {
    const { members } = await currentCluster(means);
    const nodes = members.map((address) => managed(means, address));
    await mkdir(dirname(repairDue), { recursive: true, mode: 0o700 });
    await writeFile(repairDue, "");
    for (const step of steps) {
      console.log("statement" in step ? step.statement : `repairing keyspace ${step.repair}`);
      if ("statement" in step) await execute(client, step.statement);
      // Each node's own share of the ring: together all of it, once.
      else
        for (const node of nodes)
          await nodetool(means.tool, node, "repair", "--full", "--partitioner-range", step.repair);
    }
  }
  await rm(repairDue, { force: true });
}

/** Has a node hand its rows to the others and leave the ring. */
async function leave(means: Means, address: string): Promise<void> {
  const node = managed(means, address);
  console.log(`node ${address} hands its rows to the others`);
  // By force, since Cassandra's own keyspaces want three copies even on a single node.
  const refusal = await nodetool(means.tool, node, "decommission", "--force").then(
    () => undefined,
    (error: Error) => error,
  );
  // A run that was interrupted may have told it before: then it refuses, and goes on leaving.
  await untilNothingIsLeft(async () => {
    const isMember = (await currentCluster(means)).members.includes(address);
    if (!isMember) return [];
    if (refusal !== undefined && !/^Decommissioning\s*:\s*true/m.test(await nodetool(means.tool, node, "info")))
      throw refusal;
    return [`node ${address} is leaving the ring`];
  });
}

/** Tells the preparation of nodes that are no members any more that their rows are at the others. */
async function noteThoseThatLeft(means: Means): Promise<void> {
  const { members } = await currentCluster(means);
  for (const { data, address } of nodeFolders(means.nodeData))
    if (!members.includes(address)) await writeFile(join(data, leftMarker), "");
}

/** A node whose data folder can be reached from here. */
interface NodeFolder {
  readonly address: string;
  readonly data: string;
  readonly password: string;
}

/**
 * The nodes of this cluster whose data folders are here, those that are not wanted included.
 *
 * @param addresses only these. Default: all
 */
function nodeFolders(nodeData: string, addresses?: readonly string[]): NodeFolder[] {
  const parent = dirname(nodeData);
  // Other clusters may have theirs in the same folder.
  const name = basename(nodeData).replace(/\d+$/, "");
  const folders = existsSync(parent) ? readdirSync(parent) : [];
  return folders
    .filter((folder) => folder.startsWith(name) && /^\d+$/.test(folder.slice(name.length)))
    .map((folder) => join(parent, folder))
    .flatMap((data) => {
      const passwords = dirname(passwordFile(data, ""));
      return (existsSync(passwords) ? readdirSync(passwords) : [])
        .filter((file) => file.endsWith(".password"))
        .map((file) => file.slice(0, -".password".length))
        .map((address) => ({ address, data, password: passwordFile(data, address) }));
    })
    .filter(({ address }) => addresses?.includes(address) ?? true);
}

/** What nodetool needs of a node. @throws {Error} if its data folder cannot be reached from here */
function managed({ nodeData, wanted }: Means, address: string): NodeFolder {
  const [node] = nodeFolders(nodeData, [address]);
  if (node === undefined)
    throw new Error(
      `the password of node ${address} is in its data folder, which cannot be read from here: no rows can be copied for ` +
        `another number of copies, and no node can leave. Ask for as many nodes and copies as there were, or run there ` +
        `by hand what is needed: nodetool repair after ALTER KEYSPACE; nodetool decommission until the ring is ` +
        `${wanted.members.join(", ")}`,
    );
  return node;
}

await runTaskProgram(main, messages);
