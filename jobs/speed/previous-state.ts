/**
 * What a row was before it was last written, kept beside what it is: while a chunk's rows are being written, a reader finds
 * in those that already are new what they were when the chunk's progress was last noted.
 */

/** A row's state over the events of its chunk before an offset. */
export interface PreviousState {
  /** The offset (exclusive). */
  readonly end: number;
  /** The encoded states as JSON; empty if the row was not there yet. */
  readonly state: string;
}

/** The previous state as it is stored: in one cell, so that of two writes never a part of each is read. */
export function previousText({ end, state }: PreviousState): string {
  return `${end} ${state}`;
}

/** The previous state that is stored. */
export function parsePrevious(text: string): PreviousState {
  const space = text.indexOf(" ");
  return { end: Number(text.slice(0, space)), state: text.slice(space + 1) };
}
