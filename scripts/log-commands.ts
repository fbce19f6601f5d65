import { defaultNamespace } from "../components/targets/kubernetes/names.ts";

/** How much of a log is to be shown. */
export interface LogOptions {
  /** The number of the last lines, or `all`. */
  readonly lines: string;
  /** Whether to go on with what is written later. */
  readonly follow: boolean;
}

/** The command that shows a container's log. */
export function dockerLogs(container: string, { lines, follow }: LogOptions): string[] {
  return ["docker", "logs", "--tail", lines, ...(follow ? ["--follow"] : []), container];
}

/**
 * The command that shows the logs of a system's pods.
 *
 * @param namespace the stack's, if it is configured; else empty
 * @param system the system's name, e.g. `kafka`. Default: the command that lists the pods
 */
export function kubectlLogs(
  project: string,
  stack: string,
  namespace: string,
  system: string | undefined,
  { lines, follow }: LogOptions,
): string[] {
  const kubectl = ["kubectl", "--namespace", namespace === "" ? defaultNamespace(project, stack) : namespace];
  if (system === undefined) return [...kubectl, "get", "pods", "--show-labels"];
  return [
    ...[...kubectl, "logs", "--selector", `app.kubernetes.io/name=lambda-${system}`],
    ...["--prefix", "--max-log-requests", "50", "--tail", lines === "all" ? "-1" : lines],
    ...(follow ? ["--follow"] : []),
  ];
}
