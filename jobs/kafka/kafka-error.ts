/**
 * What the Kafka library's error comes from, in one line: it nests errors, and the outer ones say little.
 */
export function kafkaError(error: unknown, doing: string): Error {
  const reasons = new Set(reasonsOf(error));
  return new Error(`Kafka, ${doing}: ${[...reasons].join("; ")}`, { cause: error });
}

function reasonsOf(error: unknown): string[] {
  const { errors, cause, message, apiId } = error as {
    errors?: unknown[];
    cause?: unknown;
    message?: string;
    apiId?: string;
  };
  if (errors !== undefined && errors.length > 0) return errors.flatMap(reasonsOf);
  if (apiId !== undefined) return [`${apiId}: ${message}`];
  if (cause !== undefined) return reasonsOf(cause);
  return [message ?? String(error)];
}
