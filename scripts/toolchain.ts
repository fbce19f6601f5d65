/*
 * Gets what some targets and tests need beyond the set-up, once a machine:
 *
 *     npm run toolchain -- [docker] [kubernetes] [control-plane] [s3-server] [actionlint]
 *
 * `docker` and `kubernetes` are the Pulumi CLI's plugins of these providers, downloaded or, where that is out of reach,
 * built with Go; `control-plane` is the Kubernetes control plane of `npm run test:kubernetes`, built with Go; `s3-server` is the
 * S3 server of tests, from PyPI; `actionlint` checks the workflows under .github, built with Go.
 */
import { CommandLine, runCommandLine } from "./command-line.ts";
import { say } from "./setup/progress.mjs";
import { ensureActionlint } from "./toolchain/actionlint.ts";
import { ensureControlPlane } from "./toolchain/control-plane.ts";
import { ensureProviderPlugin } from "./toolchain/provider-plugins.ts";
import { ensureS3Server } from "./toolchain/s3-server.ts";

const tools = {
  docker: () => ensureProviderPlugin("docker"),
  kubernetes: () => ensureProviderPlugin("kubernetes"),
  "control-plane": async () => (await ensureControlPlane()).folder,
  "s3-server": ensureS3Server,
  actionlint: ensureActionlint,
};

await runCommandLine(async () => {
  const names = Object.keys(tools);
  const commandLine = new CommandLine(
    { name: "toolchain", usage: `${names.join("|")} …`, options: {}, word: "tool" },
    process.argv.slice(2),
  );
  const { words: wanted } = commandLine;
  for (const name of wanted)
    if (!Object.hasOwn(tools, name)) commandLine.mistake(`there is no tool ${JSON.stringify(name)}`);
  if (wanted.length === 0) commandLine.mistake("name one of the tools");
  commandLine.throwIfAny();
  for (const name of wanted) say(`${name}: ${await tools[name as keyof typeof tools]()}`);
});
