import * as pulumi from "@pulumi/pulumi";

/** A resource as a program asked Pulumi for it. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** Notes every resource of a program under Pulumi's mocks, in the order of registration. */
export class RecordedResources {
  readonly #resources: RecordedResource[] = [];

  /** Waits for the test before, sets the mocks and forgets what was noted; call it before each test and each import. */
  async start(): Promise<void> {
    await pulumi.runtime.disconnect();
    this.#resources.length = 0;
    await pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => {
        this.#resources.push({ type, name, inputs });
        return { id: name, state: inputs };
      },
      call: () => ({}),
    });
  }

  /** Waits until all resources are registered. No resource may be created afterwards, until the next start. */
  async list(): Promise<readonly RecordedResource[]> {
    await pulumi.runtime.disconnect();
    return this.#resources;
  }
}

/** The value of an output. */
export function outputOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}
