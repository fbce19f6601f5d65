import type * as pulumi from "@pulumi/pulumi";
import { ProgramRecording, type RecordingArgs, type ResourceOptions } from "../../stacks/plan/program-recording.ts";

/** A resource as a program asked Pulumi for it. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  /** As they go over the wire: secrets are marked, see `unwrapSecrets`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The name of the resource that it belongs to; empty if to none. */
  readonly parent: string;
  /** The names, in order, of what Pulumi creates before it; of a component, its children with a life of their own. */
  readonly dependsOn: readonly string[];
  /** Undefined where nothing is said. */
  readonly options?: ResourceOptions;
}

/** Notes every resource of a program under Pulumi's mocks, in the order of registration. */
export class RecordedResources {
  readonly #recording = new ProgramRecording();

  /** Waits for the test before, sets the mocks and forgets what was noted; call it before each test and each import. */
  async start(args: Pick<RecordingArgs, "outputs"> = {}): Promise<void> {
    await this.#recording.start(args);
  }

  /** Waits until all resources are registered. No resource may be created afterwards, until the next start. */
  async list(): Promise<readonly RecordedResource[]> {
    return (await this.#recording.list()).map(({ type, name, inputs, parent, dependsOn, options }) => ({
      type,
      name,
      inputs,
      parent,
      dependsOn,
      ...(Object.keys(options).length > 0 && { options }),
    }));
  }
}

/** The value of an output. */
export function outputOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}
