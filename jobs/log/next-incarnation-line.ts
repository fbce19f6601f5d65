/** The line by which the batch program tells the command that started it which incarnation of the log begins. */
export function nextIncarnationLine(number: number): string {
  return `the stack's logIncarnation has to be ${number}`;
}

/** The incarnation that a line of the batch program tells of; undefined if it tells of none. */
export function nextIncarnationOf(line: string): number | undefined {
  const number = /the stack's logIncarnation has to be (\d+)$/.exec(line)?.[1];
  return number === undefined ? undefined : Number(number);
}
