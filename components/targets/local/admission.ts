import { setImmediate as programsTurn } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { runError } from "../../run-error.ts";
import { instanceName } from "../../target.ts";
import { addsAnything, budgetRows, budgetTable, cpuRemark, type Demand, type Free, shortage } from "./budget.ts";
import { memoryGiven } from "./instances.ts";
import { freeOfMachine } from "./machine.ts";
import { type PermanentValues, permanentProblems, permanentValues } from "./permanent.ts";

/** What a target that checks its machine before it starts servers knows of its surroundings. */
export interface Surroundings {
  /** What is free on the machine of the folder. */
  free(folder: string): Promise<Free>;
  /** MiB that each running instance of the stack was given, by its name. */
  given(stackFolder: string): Promise<ReadonlyMap<string, number>>;
  /** What the data of an instance is made for. */
  permanent(stackFolder: string, instance: string): Promise<PermanentValues>;
  /** Tells the person who deploys. */
  say(message: string): unknown;
}

const thisMachine: Surroundings = {
  free: freeOfMachine,
  given: memoryGiven,
  permanent: permanentValues,
  say: (message) => pulumi.log.info(message),
};

/**
 * Lets a stack's servers start only if the machine has room for all of them, and the data that is there is made for
 * them. The program that asks for servers runs
 * to its end before Pulumi starts the first, so all of them are known by then, in previews too.
 */
export class Admission {
  readonly #stackFolder: string;
  readonly #surroundings: Surroundings;
  readonly #demands: Demand[] = [];
  #check: Promise<void> | undefined;

  /** @param stackFolder the stack's folder, see `LocalTargetArgs.folder` */
  constructor(stackFolder: string, surroundings = thisMachine) {
    this.#stackFolder = stackFolder;
    this.#surroundings = surroundings;
  }

  /**
   * Resolves once the machine turned out to have room for this server and all others that the program asks for.
   *
   * @throws {pulumi.RunError} with the budget as a table, or with what cannot change, the same error for all servers:
   * Pulumi reports it once
   */
  admit(demand: Demand): Promise<void> {
    this.#demands.push(demand);
    this.#check ??= this.#checkAfterProgram();
    return this.#check;
  }

  async #checkAfterProgram(): Promise<void> {
    await programsTurn();
    // A program that awaits something may ask for more servers afterwards: they get a check of their own.
    this.#check = undefined;
    const { free, given, permanent, say } = this.#surroundings;
    const changes = this.#demands.map(async ({ identity, permanent: wanted }) => {
      const name = instanceName(identity);
      return permanentProblems(name, await permanent(this.#stackFolder, name), wanted);
    });
    const refused = (await Promise.all(changes)).flat();
    if (refused.length > 0) throw runError(refused.join("\n"));
    const rows = budgetRows(this.#demands, await given(this.#stackFolder), instanceName);
    if (!addsAnything(rows)) return;
    const machine = await free(this.#stackFolder);
    const problem = shortage(rows, machine, this.#stackFolder);
    if (problem !== undefined) throw runError(problem);
    const title =
      "what the servers take of this machine at most, in MiB, and the cores that they are expected to need:";
    say([title, ...budgetTable(rows), ...cpuRemark(rows, machine)].join("\n"));
  }
}
