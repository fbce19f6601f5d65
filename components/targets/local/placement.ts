import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Placement } from "../../target.ts";

/** Addresses of a stack, and stacks: 12 bits each, less the unlucky ones. */
const stackPlaces = 254 * 16;
const instancePlaces = 16 * 254;

/**
 * The address of an instance: 127.x.y.z, its first 12 bits (x and the upper half of y) from the stack, the rest from
 * the instance's name. x is never 0, so that nobody's `localhost` is meant; z is neither 0 nor 255.
 *
 * @param stack what tells the stack from all others on this machine
 * @param name the instance's name, unique in the stack
 * @param attempt how many addresses of the stack from the name's own on to pass over. Default: 0
 */
export function loopbackAddress(stack: string, name: string, attempt = 0): string {
  const stackPlace = number(stack) % stackPlaces;
  const instancePlace = (number(name) + attempt) % instancePlaces;
  const x = 1 + Math.floor(stackPlace / 16);
  const y = (stackPlace % 16) * 16 + Math.floor(instancePlace / 254);
  const z = 1 + (instancePlace % 254);
  return `127.${x}.${y}.${z}`;
}

/** The folder of temporary files in an instance's own folder. */
export const temporaryFolder = "temporary";

/** The folder of all data in a stack's folder. */
export const dataFolder = "data";

/** Gives the instances of one stack their places, each always the same as long as names come in the same order. */
export class Placements {
  readonly #stack: string;
  readonly #folder: string;
  readonly #byName = new Map<string, Placement>();
  readonly #taken = new Set<string>();

  /**
   * @param stack what tells the stack from all others on this machine
   * @param folder the stack's folder
   */
  constructor(stack: string, folder: string) {
    this.#stack = stack;
    this.#folder = folder;
  }

  /** The place of the instance. Of two names with the same address, the later one gets the next free address. */
  place(name: string): Placement {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    let attempt = 0;
    while (this.#taken.has(loopbackAddress(this.#stack, name, attempt))) attempt++;
    const address = loopbackAddress(this.#stack, name, attempt);
    const placement: Placement = {
      name,
      address,
      configuration: join(this.#folder, name, "configuration"),
      data: join(this.#folder, dataFolder, name),
      logs: join(this.#folder, name, "logs"),
      temporary: join(this.#folder, name, temporaryFolder),
    };
    this.#taken.add(address);
    this.#byName.set(name, placement);
    return placement;
  }
}

/** The first 48 bits of the text's hash. */
function number(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6);
}
