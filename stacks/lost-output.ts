/**
 * Ends this program when nobody reads its output any more, as after a kill -9 of Pulumi's CLI. Pulumi's SDK would report
 * each write that fails by another write, which fails too: the program would go on for ever, with a core and more and
 * more memory for itself.
 */
export function endWithOutput(): void {
  for (const output of [process.stdout, process.stderr]) output.on("error", () => process.exit(1));
}
