import * as pulumi from "@pulumi/pulumi";

/**
 * An error for a promise to be rejected with that many resources wait for: Pulumi reports it once, with its message
 * alone.
 */
export function runError(message: string): pulumi.RunError {
  const error = new pulumi.RunError(message);
  // Pulumi shows the stack of what a promise is rejected with, of its RunErrors too, unless there is none.
  delete error.stack;
  // Each resource that waits would put the name of its input before the message, one before the other.
  Object.defineProperty(error, "message", { get: () => message, set: () => {} });
  return error;
}
