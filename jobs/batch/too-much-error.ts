/** A question needs more than one question may read: no attempt at it will do. The message says what to ask instead. */
export class TooMuchError extends Error {
  override readonly name = "TooMuchError";
}
