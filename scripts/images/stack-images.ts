import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { ImageContent, ImageSettings } from "../../components/images/recipe.ts";
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
  const images: StackImage[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ type, name, inputs }) => {
        if (type === "local:index:Image") images.push(inputs as StackImage);
        return { id: name, state: inputs };
      },
      call: () => ({}),
    },
    project,
    stack,
    false,
  );
  await createStack(configuration, { checkout, stackFolder: join(checkout, ".lambda", "stacks", stack) });
  await pulumi.runtime.disconnect();
  if (images.length === 0) throw new Error(`the stack ${stack} runs no images: its target is ${configuration.target}`);
  return images.sort((a, b) => (a.reference < b.reference ? -1 : 1));
}
