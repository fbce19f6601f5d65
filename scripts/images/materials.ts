import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Materials } from "../../components/images/bill-of-materials.ts";
import { javaProgram } from "../../components/images/layout.ts";
import type { ImageContent } from "../../components/images/recipe.ts";
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
  const packages = await inImage("dpkg-query", "--show", "--showformat", format);
  const java = /openjdk ([0-9.]+)/.exec(await inImage(javaProgram, "--version"))?.[1] ?? "";
  const bills = [];
  for (const { parts } of content.distributions)
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
    return JSON.parse(readFileSync(join(folder, "target", "bom.json"), "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { cwd: checkout, maxBuffer: 2 ** 28 });
  return stdout;
}
