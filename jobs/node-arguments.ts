/**
 * Node's arguments for a process of a job. Its garbage is collected by the thread that works: with a small heap, helper
 * threads mostly wait for each other, and take from the other servers of the machine (a fifth less CPU time for a bolt's
 * work of 200,000 events by `scripts/bench/stage-passes.ts`, 2 cores, Node 24.21).
 *
 * @param heap the largest JavaScript heap, in MiB. Default: Node's own
 */
export function nodeArguments(heap?: number): string[] {
  return [...(heap === undefined ? [] : [`--max-old-space-size=${heap}`]), "--single-threaded-gc"];
}
