/** What is in the master dataset does not fit what the archiver is to write there. */
export class ArchiveError extends Error {
  /** @param message what is wrong, where, and the fix */
  constructor(message: string) {
    super(message);
    this.name = "ArchiveError";
  }
}
