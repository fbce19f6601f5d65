/**
 * The members that a text names, as in ZooKeeper's dynamic configuration and its answer to `conf`:
 * `server.1=127.9.0.1:2888:3888:participant;127.9.0.1:2181`, in order.
 */
export function membersOf(text: string): string[] {
  return text.split("\n").filter((line) => /^server\.\d+=/.test(line));
}

/** Whether both name the same members, in whatever order. */
export function sameMembers(one: readonly string[], other: readonly string[]): boolean {
  return [...one].sort().join("\n") === [...other].sort().join("\n");
}
