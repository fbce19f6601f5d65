import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Component, Materials } from "../../components/images/bill-of-materials.ts";
import { javaProgram } from "../../components/images/layout.ts";
import { addedDistributions, type ImageContent } from "../../components/images/recipe.ts";
import { checkout } from "../environment.ts";

/** The plugin with which Maven lists what a project's jars are. */
const mavenPlugin = "org.cyclonedx:cyclonedx-maven-plugin:2.9.1:makeBom";

/**
 * What is in an image that Docker has: asked of the image itself, of Maven and of npm.
 *
 * @throws {Error} with the words of the tool that fails
 */
export async function materialsOf(content: ImageContent, reference: string): Promise<Materials> {
  const inImage = (program: string, ...args: string[]) =>
    run("docker", "run", "--rm", "--network", "none", "--entrypoint", program, reference, ...args);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is dpkg-query that puts in these
  const format = "${Package}\\t${Version}\\t${Architecture}\\n";
  // What an upstream image has, its own bill says.
  const isOwn = content.upstream === undefined;
  const packages = isOwn ? await inImage("dpkg-query", "--show", "--showformat", format) : "";
  const java = (isOwn && /openjdk ([0-9.]+)/.exec(await inImage(javaProgram, "--version"))?.[1]) || "";
  const bills = [];
  for (const { parts } of addedDistributions(content))
    for (const folder of Object.values(parts)) bills.push(await mavenBill(folder));
  if (content.programs.length > 0)
    bills.push(
      JSON.parse(await run("npm", "sbom", "--sbom-format", "cyclonedx", "--omit", "dev", "--package-lock-only")),
    );
  return { packages, java, bills };
}

async function mavenBill(project: string) {
  // Maven writes beside the project's own files.
  const folder = mkdtempSync(join(tmpdir(), "lambda-architecture-bill-"));
  try {
    cpSync(project, folder, { recursive: true });
    await run("mvn", "-B", "-q", "-f", join(folder, "pom.xml"), mavenPlugin, "-DoutputFormat=json");
    const { components = [] } = JSON.parse(readFileSync(join(folder, "target", "bom.json"), "utf8"));
    return { components: [...components, ...copiedArtifacts(readFileSync(join(folder, "pom.xml"), "utf8"))] };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The jars that a project copies one by one: they are no dependencies of it, so that its bill does not list them. */
export function copiedArtifacts(pom: string): Component[] {
  return [...pom.matchAll(/<artifactItem>(.*?)<\/artifactItem>/gs)].map(([, item = ""]) => {
    const textOf = (name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(item)?.[1] ?? "";
    const property = /^\$\{(.*)\}$/.exec(textOf("version"))?.[1];
    const version = property === undefined ? textOf("version") : new RegExp(`<${property}>(.*?)<`).exec(pom)?.[1];
    const [group, name] = [textOf("groupId"), textOf("artifactId")];
    return { type: "library", name, version: version ?? "", purl: `pkg:maven/${group}/${name}@${version}?type=jar` };
  });
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: checkout, maxBuffer: 2 ** 28 });
  return stdout;
}
