import * as pulumi from "@pulumi/pulumi";

/** A resource as a program asked Pulumi for it. */
export interface RecordedResource {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
  /** The name of the resource that it belongs to; empty if to none. */
  readonly parent: string;
  /** The names, in order, of what Pulumi creates before it; of a component, its children with a life of their own. */
  readonly dependsOn: readonly string[];
}

/** The part of Pulumi's request for a resource that its mocks do not hand on. */
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
}

/** Notes every resource of a program under Pulumi's mocks, in the order of registration. */
export class RecordedResources {
  readonly #resources: RecordedResource[] = [];

  /** Waits for the test before, sets the mocks and forgets what was noted; call it before each test and each import. */
  async start(): Promise<void> {
    await pulumi.runtime.disconnect();
    this.#resources.length = 0;
    const requests = new Map<string, Request>();
    await pulumi.runtime.setMocks({
      newResource: ({ type, name, inputs }) => {
        const request = requests.get(`${type} ${name}`);
        this.#resources.push({
          type,
          name,
          inputs,
          parent: nameOf(request?.getParent() ?? ""),
          dependsOn: (request?.getDependenciesList() ?? []).map(nameOf).sort(),
        });
        return { id: name, state: inputs };
      },
      call: () => ({}),
    });
    const monitor = pulumi.runtime.getMonitor() as unknown as {
      registerResource(request: Request, ...rest: unknown[]): unknown;
    };
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request, ...rest) => {
      requests.set(`${request.getType()} ${request.getName()}`, request);
      return register(request, ...rest);
    };
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

/** The name of a resource, as its URN ends. */
function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}
