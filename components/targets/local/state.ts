import type { ImageContent, ImageSettings } from "../../images/recipe.ts";
import { isMarkedSecret } from "../../secret-marks.ts";
import type { Readiness } from "../../target.ts";

/** What every instance is given: what the custom resources send and the provider receives, all values resolved. */
export interface InstanceInputs {
  /** The stack's folder; with the instance's name it tells the instance from all others on this machine. */
  readonly stackFolder: string;
  readonly instance: string;
  readonly address: string;
  readonly configuration: string;
  readonly data: string;
  readonly logs: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, { readonly content: string; readonly secret: boolean }>>;
}

/** The inputs of `local:index:Service`; see {@link import("../../target.ts").ServiceArgs} for their meaning. */
export interface ServiceInputs extends InstanceInputs {
  /** The component and role that the service shares with its replicas, e.g. `kafka-broker`. */
  readonly group: string;
  readonly prepare: readonly string[];
  readonly ports: Readonly<Record<string, number>>;
  readonly readiness: Readiness;
  readonly readinessTimeout: number;
  readonly memory: number;
  readonly stateful: boolean;
  /** Whether the data is deleted with the service. */
  readonly deleteData: boolean;
  readonly permanent: Readonly<Record<string, string | number>>;
  readonly stopSignal: "SIGTERM" | "SIGINT" | "SIGKILL";
  readonly stopGrace: number;
  /** Default: false */
  readonly overlaps?: boolean;
}

/** The state of `local:index:Service`. */
export interface ServiceState extends ServiceInputs {
  /** The server's process when it last was looked at, 0 if it did not run. */
  readonly pid: number;
  /** The process that starts the server again when it dies. */
  readonly supervisor: number;
  /** The file with the server's output. */
  readonly log: string;
  readonly running: boolean;
  /** What is not as it was deployed, a sentence each. */
  readonly drift: readonly string[];
}

/** The inputs of `local:index:Task`; see {@link import("../../target.ts").TaskArgs} for their meaning. */
export interface TaskInputs extends InstanceInputs {
  readonly checkCommand: readonly string[];
  readonly deleteCommand: readonly string[];
  readonly triggers: readonly string[];
  readonly timeout: number;
  readonly retries: number;
}

/** The state of `local:index:Task`. */
export interface TaskState extends TaskInputs {
  /** The file with the task's output. */
  readonly log: string;
  /** What is not as the task left it, a sentence each. */
  readonly drift: readonly string[];
}

/** The inputs and the state of `local:index:Distribution`. */
export interface DistributionInputs {
  readonly name: string;
  /** Folder in the distribution to absolute path of the folder with the part's `pom.xml`. */
  readonly parts: Readonly<Record<string, string>>;
  /** The absolute path that the jars are put to; carries the hash of the parts' files. */
  readonly directory: string;
}

/** The inputs and the state of `local:index:Image`: an image that Docker has, see `ensureImage`. */
export interface ImageInputs {
  readonly reference: string;
  readonly content: ImageContent;
  readonly settings: ImageSettings;
  /** The address of the daemon. Default: the one that `docker` finds. */
  readonly host?: string;
}

/** The version of the provider and of its resources. */
export const providerVersion = "0.1.0";

/** The value without the wire's marks of secrets. */
export function unwrapSecrets<T>(value: T): T {
  if (Array.isArray(value)) return value.map(unwrapSecrets) as T;
  if (typeof value !== "object" || value === null) return value;
  if (isMarkedSecret(value)) return unwrapSecrets(value.value) as T;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapSecrets(inner)])) as T;
}
