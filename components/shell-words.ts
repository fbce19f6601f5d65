/** The command as text for sh: each word quoted. */
export function shellWords(command: readonly string[]): string {
  return command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
