/*
 * Builds the images that a stack runs, unless Docker has them, and prints their sizes:
 *
 *     npm run images [-- [--stack NAME] [--base IMAGE|own] [--again] [--sbom FOLDER] [--push]]
 *
 * --again builds anew what is there and says whether its layers, every file with its time, are the same.
 * --sbom writes an image's bill of materials (CycloneDX) into the folder, as <image>.cdx.json.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { billOfMaterials } from "../components/images/bill-of-materials.ts";
import { ensureImage, hasImage, imageLayers } from "../components/images/build.ts";
import { table } from "../components/table.ts";
import { CommandLine, runCommandLine } from "./command-line.ts";
import { requireStack } from "./environment.ts";
import { materialsOf } from "./images/materials.ts";
import { imagesOfStack } from "./images/stack-images.ts";
import { readStackConfiguration } from "./stack-configuration.ts";

const begun = performance.now();
const say = (message: string) =>
  console.log(`[${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s] ${message}`);

await runCommandLine(async () => {
  const commandLine = new CommandLine(
    {
      name: "images",
      usage: "[--stack NAME] [--base IMAGE|own] [--again] [--sbom FOLDER] [--push]",
      options: {
        stack: { type: "string" },
        base: { type: "string" },
        again: { type: "boolean" },
        sbom: { type: "string" },
        push: { type: "boolean" },
      },
    },
    process.argv.slice(2),
  );
  const stack = commandLine.stack("demo");
  commandLine.throwIfAny();
  requireStack(stack);
  const { base, again = false, sbom, push = false } = commandLine.values;
  const folder = sbom && resolve(process.env.INIT_CWD ?? "", sbom);

  if (folder) mkdirSync(folder, { recursive: true });
  const { target } = readStackConfiguration(stack);
  const images = await imagesOfStack(stack, base === undefined ? {} : { [`${target}ImageBase`]: base });
  for (const { reference, content, settings } of images) {
    const before = again && (await hasImage(reference)) ? await imageLayers(reference) : undefined;
    await ensureImage(content, settings, reference, { again, onProgress: say });
    const isSame = before !== undefined && isDeepStrictEqual(before, await imageLayers(reference));
    const compared = before === undefined ? "" : isSame ? ", the same layers as before" : ", OTHER layers than before";
    say(`${content.name}: ${reference}${compared}`);
    if (folder !== undefined) {
      const file = join(folder, `${content.name}.cdx.json`);
      const bill = billOfMaterials(content, reference, await materialsOf(content, reference));
      writeFileSync(file, `${JSON.stringify(bill, undefined, 2)}\n`);
      say(`${content.name}: ${bill.components.length} parts listed in ${file}`);
    }
    if (push) execFileSync("docker", ["push", "--quiet", reference], { stdio: "inherit" });
  }
  const rows = images.map(({ reference, content }) => {
    const size = execFileSync("docker", ["image", "inspect", "--format", "{{.Size}}", reference], { encoding: "utf8" });
    return [
      content.name,
      reference,
      Math.round(Number(size) / 1e6),
      content.distributions.map((d) => d.name).join(" "),
    ];
  });
  console.log(["", ...table(["image", "reference", "MB", "distributions"], rows)].join("\n"));
});
