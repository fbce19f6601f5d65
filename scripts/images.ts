/*
 * Builds the images that a stack runs, unless Docker has them, and prints their sizes:
 *
 *     npm run images [-- [--stack NAME] [--base IMAGE|own] [--again] [--push]]
 */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { ensureImage } from "../components/images/build.ts";
import { table } from "../components/table.ts";
import { imagesOfStack } from "./images/stack-images.ts";

const { values } = parseArgs({
  options: {
    stack: { type: "string", default: "demo" },
    base: { type: "string" },
    again: { type: "boolean", default: false },
    push: { type: "boolean", default: false },
  },
});

const begun = performance.now();
const say = (message: string) =>
  console.log(`[${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s] ${message}`);

try {
  const images = await imagesOfStack(values.stack, values.base === undefined ? {} : { dockerImageBase: values.base });
  for (const { reference, content, settings } of images) {
    await ensureImage(content, settings, reference, { again: values.again, onProgress: say });
    say(`${content.name}: ${reference}`);
    if (values.push) execFileSync("docker", ["push", "--quiet", reference], { stdio: "inherit" });
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
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
