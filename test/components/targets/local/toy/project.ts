import { fileURLToPath } from "node:url";
import { LocalProject } from "../../../../support/local-project.ts";
import type { Plan } from "./program.ts";

/** A Pulumi project of toy servers. */
export class ToyProject extends LocalProject<Plan> {
  constructor() {
    super("toy", fileURLToPath(new URL("./program.ts", import.meta.url)));
  }
}
