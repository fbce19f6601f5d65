import * as pulumi from "@pulumi/pulumi";

/** What a program says of a resource beside its inputs: the engine's part. What is not said is left out. */
export interface ResourceOptions {
  readonly protect?: true;
  /** Whether deleting it leaves the real thing where it is. */
  readonly retainOnDelete?: true;
  /** Names under which the state may know it. */
  readonly aliases?: readonly Alias[];
  /** Properties whose change replaces it. */
  readonly replaceOnChanges?: readonly string[];
  readonly ignoreChanges?: readonly string[];
}

/** Another name of a resource: what is not said is as it is now. */
export interface Alias {
  readonly name?: string;
  readonly type?: string;
  /** The name of the parent; empty for none. */
  readonly parent?: string;
}

/** A resource as a program registers it. */
export interface RegisteredResource {
  readonly type: string;
  readonly name: string;
  /** Whether it has a life of its own, unlike a component. */
  readonly custom: boolean;
  /** The name of the resource that it belongs to; empty if to none. */
  readonly parent: string;
  /** The names, in order, of what Pulumi creates before it; of a component, its children with a life of their own. */
  readonly dependsOn: readonly string[];
  /** As they go over the wire: secrets and unknown values are marked, see `@pulumi/pulumi/runtime`. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly options: ResourceOptions;
}

/** For which stack a program runs. */
export interface RecordingArgs {
  /** Default: `project` */
  readonly project?: string;
  /** Default: `stack` */
  readonly stack?: string;
  /**
   * Whether what only a real provider could answer is unknown, as in a preview. Else it is undefined.
   *
   * @default false
   */
  readonly preview?: boolean;
  /** What a provider's function answers. Default: nothing, to each */
  readonly call?: (token: string, inputs: Record<string, unknown>) => Record<string, unknown>;
  /** What a provider says of a resource beside its inputs. Default: nothing */
  readonly outputs?: (type: string, name: string) => Record<string, unknown>;
}

/** The part of Pulumi's request for a resource that is noted. */
interface Request {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getParent(): string;
  getDependenciesList(): string[];
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
  getProtect(): boolean | undefined;
  getRetainondelete(): boolean | undefined;
  getReplaceonchangesList(): string[];
  getIgnorechangesList(): string[];
  getAliasesList(): { toObject(): AliasObject }[];
}

/** As the request has it. */
interface AliasObject {
  readonly urn: string;
  readonly spec?: {
    readonly name: string;
    readonly type: string;
    readonly parenturn: string | undefined;
    readonly noparent: boolean | undefined;
  };
}

/**
 * Notes every resource of a program under Pulumi's mocks, in the order of registration. There is one program at a time:
 * Pulumi keeps it in variables of its module.
 */
export class ProgramRecording {
  #resources: RegisteredResource[] = [];

  /** Waits for the program before, sets the mocks and forgets what was noted; call it before each program. */
  async start({
    project,
    stack,
    preview = false,
    call = () => ({}),
    outputs = () => ({}),
  }: RecordingArgs = {}): Promise<void> {
    await pulumi.runtime.disconnect();
    const resources: RegisteredResource[] = [];
    this.#resources = resources;
    await pulumi.runtime.setMocks(
      {
        newResource: ({ type, name, inputs }) => ({
          id: preview ? undefined : name,
          state: { ...inputs, ...outputs(type, name) },
        }),
        call: ({ token, inputs }) => call(token, inputs),
      },
      project,
      stack,
      preview,
      "organization",
    );
    const monitor = pulumi.runtime.getMonitor() as unknown as {
      registerResource(request: Request, ...rest: unknown[]): unknown;
    };
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request, ...rest) => {
      resources.push(registered(request));
      return register(request, ...rest);
    };
  }

  /** Waits until all resources are registered. No resource may be created afterwards, until the next start. */
  async list(): Promise<readonly RegisteredResource[]> {
    await pulumi.runtime.disconnect();
    return this.#resources;
  }
}

function registered(request: Request): RegisteredResource {
  const { length: aliased } = request.getAliasesList();
  const [replaceOnChanges, ignoreChanges] = [request.getReplaceonchangesList(), request.getIgnorechangesList()];
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    parent: nameOf(request.getParent()),
    dependsOn: request.getDependenciesList().map(nameOf).sort(),
    inputs: request.getObject()?.toJavaScript() ?? {},
    options: {
      ...(request.getProtect() && { protect: true }),
      ...(request.getRetainondelete() && { retainOnDelete: true }),
      ...(aliased > 0 && { aliases: request.getAliasesList().map((alias) => aliasOf(alias.toObject())) }),
      ...(replaceOnChanges.length > 0 && { replaceOnChanges }),
      ...(ignoreChanges.length > 0 && { ignoreChanges }),
    },
  };
}

function aliasOf({ urn, spec }: AliasObject): Alias {
  if (spec === undefined) {
    const types = urn.split("::")[2]?.split("$") ?? [];
    return { name: nameOf(urn), type: types.at(-1) ?? "" };
  }
  return {
    ...(spec.name !== "" && { name: spec.name }),
    ...(spec.type !== "" && { type: spec.type }),
    ...(spec.parenturn && { parent: nameOf(spec.parenturn) }),
    ...(spec.noparent && { parent: "" }),
  };
}

/** The name of a resource, as its URN ends. */
function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}
