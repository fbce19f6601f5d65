/** How Pulumi's wire marks a secret; see its `runtime/rpc`. */
const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** A secret as it goes over the wire between the program, the engine and providers. */
export interface MarkedSecret {
  readonly value: unknown;
}

/** Whether the value is a secret with the wire's mark. */
export function isMarkedSecret(value: unknown): value is MarkedSecret {
  return (
    typeof value === "object" && value !== null && signatureKey in value && value[signatureKey] === secretSignature
  );
}
