/** The stacks that people rely on: here what is stored is protected, and what runs is pinned. */
const guardedStacks: readonly string[] = ["staging", "prod"];

/** Whether the resource belongs to a stack that people rely on. */
export function isGuarded(urn: string): boolean {
  // urn:pulumi:<stack>::<project>::<types>::<name>
  const [stack = ""] = urn.replace("urn:pulumi:", "").split("::");
  return guardedStacks.includes(stack);
}
