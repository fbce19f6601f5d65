import { createHash } from "node:crypto";

/** The longest name of a container that is a host name as well. */
const longest = 63;

/**
 * The name of a stack's network, container or volume on a daemon that other stacks use too: project, stack and the
 * resource's own name joined by `-`; a hash takes the place of what is too long.
 */
export function dockerName(project: string, stack: string, name: string): string {
  const whole = [project, stack, name].filter((part) => part !== "").join("-");
  if (whole.length <= longest) return whole;
  const hash = createHash("sha256").update(whole).digest("hex").slice(0, 8);
  return `${whole.slice(0, longest - hash.length - 1)}-${hash}`;
}

/** What tells the stack's resources from all others of the daemon. */
export function stackLabels(project: string, stack: string): Record<string, string> {
  return { "lambda-architecture.project": project, "lambda-architecture.stack": stack };
}

/** The arguments that restrict what `docker ps` lists to the stack's. */
export function stackFilters(project: string, stack: string): string[] {
  return Object.entries(stackLabels(project, stack)).flatMap(([label, value]) => [
    "--filter",
    `label=${label}=${value}`,
  ]);
}
