import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { ImageContent, ImageSettings } from "../../components/images/recipe.ts";
import type { InstanceImages } from "../../components/targets/container/instance-images.ts";
import { createStack } from "../../stacks/program.ts";
import { checkout, project } from "../environment.ts";
import { readStackConfiguration } from "../stack-configuration.ts";

/** An image that a stack runs. */
export interface StackImage {
  readonly reference: string;
  readonly content: ImageContent;
  readonly settings: ImageSettings;
}

/**
 * The images that a stack's instances run: its program is run with nothing behind it, and what it asks for noted.
 *
 * @param stack the stack's name, by which its configuration file is found
 * @param overrides values over those of the file
 * @throws {TypeError} if the stack's configuration is wrong
 * @throws {Error} if the stack's target takes no images
 */
export async function imagesOfStack(
  stack: string,
  overrides: Readonly<Record<string, string>> = {},
): Promise<readonly StackImage[]> {
  const configuration = readStackConfiguration(stack, overrides);
  await pulumi.runtime.setMocks(
    { newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: () => ({}) },
    project,
    stack,
    // What providers only know afterwards is left unknown, as in a preview.
    true,
  );
  const { target } = await createStack(configuration, {
    checkout,
    stackFolder: join(checkout, ".lambda", "stacks", stack),
  });
  await pulumi.runtime.disconnect();
  if (!("images" in target)) throw new Error(`the stack ${stack} runs no images: its target is ${target.name}`);
  const images = target.images as InstanceImages;
  return Promise.all(
    images.all().map(async ({ content, reference }) => ({
      reference: await reference,
      content: await content,
      settings: images.settings,
    })),
  );
}
