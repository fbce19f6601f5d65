/**
 * Makes a file system's DataNodes those that it shall have: files get the number of copies that is wanted, DataNodes that
 * are not wanted give their blocks to the others (decommission), and those that are take blocks. Ends when every block
 * has its copies where it shall: then a DataNode that is not wanted can go. Running it again changes nothing.
 *
 * `membership.ts --name-node URL --data-nodes ADDRESS,… --replication N --user NAME --excluded FILE --java JAVA
 * --class-path PATH [--check]`. FILE is the NameNode's `dfs.hosts.exclude`. With `--check` nothing is changed: exit code
 * 1 with one line for each thing to do.
 */
import { execFile } from "node:child_process";
import { readFile, rename, writeFile } from "node:fs/promises";
import { parseArgs, promisify } from "node:util";
import { crossSiteHeaders } from "../../jobs/hdfs/cross-site.ts";
import { runTaskProgram, untilNothingIsLeft } from "../task-program.ts";
import {
  blocksToCopy,
  excludedDataNodes,
  isToBeCopied,
  type ListedFile,
  liveDataNodes,
  membershipProblems,
} from "./membership-plan.ts";

/** Milliseconds that DataNodes have to register with the NameNode after they are ready. */
const registrationTimeout = 60_000;

/** The attribute of the root folder that notes how many copies files had by default when this last ran to its end. */
const replicationAttribute = "user.lambda-architecture.replication";

interface Membership {
  readonly nameNode: string;
  readonly dataNodes: readonly string[];
  readonly replication: number;
  readonly user: string;
  readonly excluded: string;
  readonly java: string;
  readonly classPath: string;
}

async function main(): Promise<readonly string[]> {
  const text = { type: "string", default: "" } as const;
  const { values } = parseArgs({
    options: {
      "name-node": text,
      "data-nodes": text,
      replication: text,
      user: text,
      excluded: text,
      java: text,
      "class-path": text,
      check: { type: "boolean", default: false },
    },
  });
  const membership: Membership = {
    nameNode: values["name-node"],
    dataNodes: values["data-nodes"].split(","),
    replication: Number(values.replication),
    user: values.user,
    excluded: values.excluded,
    java: values.java,
    classPath: values["class-path"],
  };
  if (values.check) return membershipProblems(membership.dataNodes, await liveNodes(membership));
  await untilNothingIsLeft(() => unregistered(membership), registrationTimeout);
  const before = await notedReplication(membership);
  const changed = before === membership.replication ? 0 : await setReplication(membership, "/", before);
  const excluded = await exclude(membership);
  await untilNothingIsLeft(() => uncopied(membership));
  if (before !== membership.replication) await noteReplication(membership);
  console.log(
    `${membership.dataNodes.length} DataNodes; ${changed} files now have ${membership.replication} copies; ` +
      `decommissioned: ${excluded.trim().split("\n").join(", ") || "none"}`,
  );
  return [];
}

/** The DataNodes that the NameNode has not heard of yet, in a sentence. */
async function unregistered(membership: Membership): Promise<string[]> {
  const live = new Set((await liveNodes(membership)).map(({ address }) => address));
  const missing = membership.dataNodes.filter((address) => !live.has(address));
  return missing.length === 0 ? [] : [`DataNode ${missing.join(", ")} is not in touch with the NameNode; see its log`];
}

/** The number of copies that files had by default when this last ran to its end; undefined if it never did. */
async function notedReplication(membership: Membership): Promise<number | undefined> {
  const { XAttrs } = (await webHdfs(membership, "GET", "GETXATTRS", "/", { encoding: "text" })) as {
    XAttrs: { name: string; value: string }[];
  };
  const noted = XAttrs.find(({ name }) => name === replicationAttribute);
  return noted === undefined ? undefined : Number(noted.value.replaceAll('"', ""));
}

async function noteReplication(membership: Membership): Promise<void> {
  const attribute = { "xattr.name": replicationAttribute, "xattr.value": `"${membership.replication}"` };
  const flag = (await notedReplication(membership)) === undefined ? "CREATE" : "REPLACE";
  await webHdfs(membership, "PUT", "SETXATTR", "/", { ...attribute, flag });
}

/**
 * Gives the files under a folder their number of copies, but those whose number somebody else has chosen.
 *
 * @param before see `isToBeCopied`
 * @returns how many files got another number
 */
async function setReplication(membership: Membership, folder: string, before: number | undefined): Promise<number> {
  const listed = (await unlessGone(webHdfs(membership, "GET", "LISTSTATUS", folder))) as
    | { FileStatuses: { FileStatus: ListedFile[] } }
    | undefined;
  let changed = 0;
  for (const file of listed?.FileStatuses.FileStatus ?? []) {
    const path = `${folder === "/" ? "" : folder}/${file.pathSuffix}`;
    if (file.type === "DIRECTORY") changed += await setReplication(membership, path, before);
    else if (isToBeCopied(file, membership.replication, before)) {
      const replication = String(membership.replication);
      await unlessGone(webHdfs(membership, "PUT", "SETREPLICATION", path, { replication }));
      changed++;
    }
  }
  return changed;
}

/** Undefined if what is asked for has been deleted meanwhile, as others do with theirs at any time. */
async function unlessGone(answer: Promise<unknown>): Promise<unknown> {
  return answer.catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  });
}

/** Tells the NameNode which DataNodes are not wanted. Returns the text of its file. */
async function exclude(membership: Membership): Promise<string> {
  const { excluded: file, dataNodes, java, classPath } = membership;
  const before = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
  const text = excludedDataNodes(dataNodes, await liveNodes(membership), before);
  if (text === before) return text;
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
  const flags = ["-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"];
  const command = ["-cp", classPath, "org.apache.hadoop.hdfs.tools.DFSAdmin", "-refreshNodes"];
  await promisify(execFile)(java, [...flags, ...command]).catch((error: { stderr?: string; message: string }) => {
    throw new Error(`the NameNode does not read ${file} again:\n${error.stderr?.trim() || error.message}`);
  });
  return text;
}

/** What is left until every block has its copies, and none on a DataNode that is not wanted: a sentence each. */
async function uncopied(membership: Membership): Promise<string[]> {
  const nodes = await liveNodes(membership);
  const leaving = nodes.filter(({ address }) => !membership.dataNodes.includes(address));
  // Its metrics would say less, but seconds late.
  const blocks = blocksToCopy(await fileSystemCheck(membership), membership.dataNodes.length);
  return [
    ...leaving.filter(({ state }) => state !== "Decommissioned").map(({ address, state }) => `${address}: ${state}`),
    ...membershipProblems(membership.dataNodes, nodes),
    ...(blocks > 0 ? [`${blocks} blocks have not all of their copies`] : []),
  ];
}

async function liveNodes(membership: Membership) {
  return liveDataNodes(await jmx(membership, "NameNodeInfo"));
}

// biome-ignore lint/suspicious/noExplicitAny: the NameNode's JSON
async function jmx({ nameNode }: Membership, bean: string): Promise<any> {
  return answerOf(await fetch(`${nameNode}/jmx?qry=Hadoop:service=NameNode,name=${bean}`));
}

/** What the NameNode's own check of all files finds. */
async function fileSystemCheck({ nameNode, user }: Membership): Promise<string> {
  const response = await fetch(`${nameNode}/fsck?${new URLSearchParams({ ugi: user, path: "/" })}`);
  return await (await checked(response)).text();
}

async function webHdfs(
  { nameNode, user }: Membership,
  method: string,
  operation: string,
  path: string,
  parameters: Record<string, string> = {},
): Promise<unknown> {
  const query = new URLSearchParams({ op: operation, "user.name": user, ...parameters });
  const encoded = path.split("/").map(encodeURIComponent).join("/");
  return answerOf(await fetch(`${nameNode}/webhdfs/v1${encoded}?${query}`, { method, headers: crossSiteHeaders }));
}

/** The JSON of a good answer; undefined if it says nothing, as to SETXATTR. */
async function answerOf(response: Response): Promise<unknown> {
  const text = await (await checked(response)).text();
  return text === "" ? undefined : JSON.parse(text);
}

/** The NameNode has no file or folder of that name. */
class NotFoundError extends Error {
  override readonly name = "NotFoundError";
}

/** The response, if it is a good one. @throws {NotFoundError} */
async function checked(response: Response): Promise<Response> {
  if (response.ok) return response;
  const message = `${response.url} answers ${response.status} ${await response.text()}`;
  throw response.status === 404 ? new NotFoundError(message) : new Error(message);
}

await runTaskProgram(main);
