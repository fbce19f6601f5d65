import { chmodSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { cacheFolder } from "../../components/cache-folder.mjs";
import { goBuild, recipeDigest } from "./go-build.mjs";
import { withLock } from "./lock.mjs";
import { checkout } from "./paths.mjs";
import { executables, isAtLeast, isExecutable, parseVersion } from "./prerequisites.mjs";
import { run, SetupError, say, step } from "./progress.mjs";
import { publish } from "./publish.mjs";

/**
 * @typedef {object} PulumiCli
 * @property {string} program the absolute path of `pulumi`
 * @property {"path" | "download" | "build"} origin
 */

/** The oldest CLI from PATH that is taken. */
const LEAST_VERSION = [3, 200];

/** The version of the npm package `pulumi`, which downloads the CLI of the same version. */
const DOWNLOADED_VERSION = "3.265.0";

/** Where that package downloads from. Only asked whether it can be reached. */
const DOWNLOAD_SITE = "https://get.pulumi.com/install.sh";
const REACH_MILLISECONDS = 4000;
const DOWNLOAD_MILLISECONDS = 10 * 60 * 1000;

/** What is built where the CLI cannot be had otherwise: the Go modules under test/toolchain. */
const recipe = [
  {
    module: join(checkout, "test", "toolchain", "pulumi"),
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    program: "pulumi",
    linkerFlags: "-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.250.0",
  },
  {
    module: join(checkout, "test", "toolchain", "language-host"),
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    program: "pulumi-language-nodejs-bin",
    linkerFlags: "-s -w",
  },
];

/**
 * This host takes its options from its flags, not from Pulumi.yaml: without the flag it would compile the program by a
 * TypeScript of its own, which is too old for this one.
 */
const LANGUAGE_HOST = `#!/bin/sh
exec "$(dirname "$0")/pulumi-language-nodejs-bin" -typescript=false "$@"
`;

/**
 * The CLI that is there already: from PATH if it is new enough and has a Node language host, else the one that an
 * earlier set-up left in the cache.
 *
 * @returns {Promise<PulumiCli | undefined>}
 */
export async function existingCli() {
  return (await cliFromPath()) ?? cachedCli();
}

/**
 * Gets the CLI where there is none: by download or, if that does not work, by building it.
 *
 * @returns {Promise<PulumiCli>}
 */
export async function obtainCli() {
  return await withLock(join(cacheFolder(), "pulumi.lock"), async () => {
    // Another set-up may have made it while this one waited for the lock.
    return cachedCli() ?? (await downloadedCli()) ?? (await builtCli());
  });
}

/** Whether the CLI's download site answers. */
export async function canDownload() {
  try {
    const response = await fetch(DOWNLOAD_SITE, { method: "HEAD", signal: AbortSignal.timeout(REACH_MILLISECONDS) });
    return response.ok;
  } catch {
    return false;
  }
}

/** @returns {Promise<PulumiCli | undefined>} */
async function cliFromPath() {
  for (const program of executables("pulumi")) {
    const origin = realpathSync(program);
    // An npm package's `pulumi` is no CLI but fetches one; one of the cache is no finding on PATH.
    if (origin.includes(`${sep}node_modules${sep}`) || origin.startsWith(cacheFolder() + sep)) continue;
    const environment = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
    const text = await run(program, ["version"], { environment, timeout: 30_000 }).catch(() => "");
    const version = parseVersion(text, "v");
    const hosts = [join(dirname(program), "pulumi-language-nodejs"), join(dirname(origin), "pulumi-language-nodejs")];
    const hasHost = hosts.some(isExecutable) || executables("pulumi-language-nodejs").length > 0;
    if (version !== undefined && isAtLeast(version, LEAST_VERSION) && hasHost) return { program, origin: "path" };
  }
  return undefined;
}

/** @returns {PulumiCli | undefined} */
function cachedCli() {
  /** @type {PulumiCli[]} */
  const candidates = [
    { program: join(downloadFolder(), "pulumi"), origin: "download" },
    { program: join(buildFolder(), "pulumi"), origin: "build" },
  ];
  return candidates.find(({ program }) => isExecutable(program));
}

function downloadFolder() {
  return join(cacheFolder(), `pulumi-${DOWNLOADED_VERSION}-${process.platform}-${process.arch}`);
}

function buildFolder() {
  const digest = recipeDigest(recipe, LANGUAGE_HOST);
  return join(cacheFolder(), `pulumi-build-${digest}-${process.platform}-${process.arch}`);
}

/** @returns {Promise<PulumiCli | undefined>} undefined if it cannot be downloaded */
async function downloadedCli() {
  if (!(await step("asking for the Pulumi CLI's download", canDownload))) return undefined;
  say(`Downloading the Pulumi CLI ${DOWNLOADED_VERSION} (once a machine)`);
  try {
    await publish(downloadFolder(), async (folder) => {
      const environment = { ...process.env, PULUMI_HOME: folder, PULUMI_VERSION: DOWNLOADED_VERSION };
      const args = ["exec", "--yes", `--package=pulumi@${DOWNLOADED_VERSION}`, "--", "pulumi", "version"];
      await step("downloading the Pulumi CLI", () => run("npm", args, { environment, timeout: DOWNLOAD_MILLISECONDS }));
      return join(folder, "versions", DOWNLOADED_VERSION, "bin");
    });
    return { program: join(downloadFolder(), "pulumi"), origin: "download" };
  } catch (error) {
    say(`The Pulumi CLI could not be downloaded: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/** @returns {Promise<PulumiCli>} */
async function builtCli() {
  if (executables("go").length === 0) {
    throw new SetupError("The Pulumi CLI could not be downloaded, and Go to build it was not found: install either.");
  }
  say("Building the Pulumi CLI from its Go modules (once a machine; about 6 minutes of CPU time)");
  await publish(buildFolder(), async (folder) => {
    await step("building the Pulumi CLI", () => goBuild(recipe, folder));
    const host = join(folder, "pulumi-language-nodejs");
    writeFileSync(host, LANGUAGE_HOST);
    chmodSync(host, 0o755);
    return folder;
  });
  return { program: join(buildFolder(), "pulumi"), origin: "build" };
}
