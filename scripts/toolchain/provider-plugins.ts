import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { cacheFolder } from "../../components/cache-folder.mjs";
import { pulumiEnvironment, runPulumi } from "../environment.ts";
import { type GoProgram, goBuild, recipeDigest } from "../setup/go-build.mjs";
import { withLock } from "../setup/lock.mjs";
import { checkout } from "../setup/paths.mjs";
import { executables, isExecutable } from "../setup/prerequisites.mjs";
import { run, SetupError, say, step } from "../setup/progress.mjs";
import { publish } from "../setup/publish.mjs";
import { canDownload } from "../setup/pulumi-cli.mjs";

/** The providers whose plugins can be built here. */
export const providers = ["docker", "kubernetes"] as const;
export type Provider = (typeof providers)[number];

/** A plugin of the Pulumi CLI, in the version that the npm package of the same provider asks for. */
interface ProviderPlugin {
  readonly version: string;
  /** Minutes of CPU time that its build takes, with nothing in Go's cache. */
  readonly minutes: number;
  readonly build: GoProgram;
}

const plugins: Readonly<Record<Provider, ProviderPlugin>> = {
  docker: {
    version: "5.2.0",
    minutes: 4,
    build: {
      module: join(checkout, "test", "toolchain", "docker-provider"),
      package: ".",
      program: "pulumi-resource-docker",
      linkerFlags: "-s -w -X main.version=5.2.0",
      tags: ["no_compose"],
    },
  },
  kubernetes: {
    version: "4.25.0",
    minutes: 6,
    build: {
      module: join(checkout, "test", "toolchain", "kubernetes-provider"),
      package: ".",
      program: "pulumi-resource-kubernetes",
      linkerFlags: "-s -w -X github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version=4.25.0",
      prepare: (folder) => writeKubernetesSchema(folder, "4.25.0"),
    },
  },
};

/** The file in a built plugin's folder that tells by which recipe it was built. A downloaded plugin has none. */
const recipeFile = "recipe";

/**
 * Sees to it that the Pulumi CLI finds the provider's plugin: by its own download or, where that is out of reach, by
 * building it from pinned Go modules, once a machine.
 *
 * @returns the absolute path of the plugin's program
 * @throws {SetupError} if it can be neither downloaded nor built
 */
export async function ensureProviderPlugin(provider: Provider): Promise<string> {
  const { version, build } = plugins[provider];
  const folder = join(pluginsFolder(), `resource-${provider}-v${version}`);
  const program = join(folder, build.program);
  const digest = recipeDigest([build]);
  const isThere = () => isExecutable(program) && (builtRecipe(folder) ?? digest) === digest;
  if (isThere()) return program;
  await withLock(join(cacheFolder(), `${provider}-plugin.lock`), async () => {
    // Another process may have made it while this one waited for the lock.
    if (isThere() || (await isDownloaded(provider, version))) return;
    await buildPlugin(provider, folder, digest);
  });
  return program;
}

async function isDownloaded(provider: Provider, version: string): Promise<boolean> {
  if (!(await canDownload())) return false;
  const arguments_ = ["plugin", "install", "resource", provider, `v${version}`];
  const { exitCode, stderr } = await step(`downloading the plugin of the provider ${provider}`, () =>
    runPulumi(arguments_, { capture: true }),
  );
  if (exitCode !== 0) say(`The plugin of the provider ${provider} could not be downloaded: ${stderr.trim()}`);
  return exitCode === 0;
}

async function buildPlugin(provider: Provider, folder: string, digest: string): Promise<void> {
  const { version, minutes, build } = plugins[provider];
  if (executables("go").length === 0) {
    throw new SetupError(
      `The Pulumi plugin of the provider ${provider} ${version} could not be downloaded, and Go to build it was not ` +
        "found: install Go 1.21 or newer, or connect this machine to get.pulumi.com.",
    );
  }
  say(`Building the plugin of the provider ${provider} ${version} (once a machine; about ${minutes} min of CPU time)`);
  await publish(folder, async (scratch) => {
    await step(`building the plugin of the provider ${provider}`, () => goBuild([build], scratch));
    writeFileSync(join(scratch, recipeFile), digest);
    return scratch;
  });
}

/** Where the CLI looks for plugins. */
function pluginsFolder(): string {
  return join(pulumiEnvironment().PULUMI_HOME ?? join(homedir(), ".pulumi"), "plugins");
}

function builtRecipe(folder: string): string | undefined {
  const file = join(folder, recipeFile);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/**
 * Writes what the Kubernetes provider embeds: its schema, told its version, and the mapping of Terraform's names, both
 * of which the module has beside its sources.
 */
async function writeKubernetesSchema(folder: string, version: string): Promise<void> {
  const module = "github.com/pulumi/pulumi-kubernetes/provider/v4";
  await run("go", ["mod", "download", module], { cwd: folder });
  const directory = (await run("go", ["list", "-m", "-f", "{{.Dir}}", module], { cwd: folder })).trim();
  mkdirSync(join(folder, "generated"));
  for (const [file, additions] of [
    ["schema.json", { version }],
    ["terraform-mapping.json", {}],
  ] as const) {
    const source = readFileSync(join(directory, "cmd", "pulumi-resource-kubernetes", file), "utf8");
    writeFileSync(join(folder, "generated", file), JSON.stringify({ ...JSON.parse(source), ...additions }));
  }
}
