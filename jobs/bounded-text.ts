/** The most characters of a message that is made of input, such as a dead letter's reason. */
export const longestMessage = 1_000;

/**
 * A text that is made of input, as messages, reasons and log lines have it: what is too long is cut, with a sign that it
 * is. Whoever sends the input must not decide how much is written, kept or sent because of it.
 *
 * @param most the most characters that are kept. Default: {@link longestMessage}
 */
export function boundedText(text: string, most = longestMessage): string {
  return text.length > most ? `${cut(text, most)}…` : text;
}

/**
 * A value of input as a message quotes it: a text in quotes, with everything escaped that is no printable character of
 * a line, and with its length if it is cut; a number as it is; of anything else only what it is.
 *
 * @param most the most characters of a text that are quoted. Default: 80
 */
export function quoted(value: unknown, most = 80): string {
  switch (typeof value) {
    case "string":
      return value.length > most
        ? `${JSON.stringify(cut(value, most))}… (${value.length} characters)`
        : JSON.stringify(value);
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "bigint":
      return boundedText(String(value), most);
    case "object":
      return value === null
        ? "null"
        : Array.isArray(value)
          ? "a list"
          : value instanceof Date
            ? dateText(value)
            : "an object";
    default:
      return `a ${typeof value}`;
  }
}

/**
 * What an error says, bounded, whatever was thrown.
 *
 * @param most as in {@link boundedText}
 */
export function errorText(error: unknown, most = longestMessage): string {
  return boundedText(error instanceof Error ? String(error.message) : quoted(error), most);
}

/** The text's beginning, never half of a surrogate pair. */
function cut(text: string, most: number): string {
  const kept = text.slice(0, most);
  return kept.isWellFormed() || !text.isWellFormed() ? kept : kept.slice(0, -1);
}

function dateText(date: Date): string {
  return Number.isNaN(date.getTime()) ? "no date" : date.toISOString();
}
