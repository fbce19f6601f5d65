/** `JSON.parse`'s reviver, which in the types has no source text yet. */
type Revive = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

/** JSON with what a number of it is replaced by, given the text that it is written as. */
export function parseNumbers(text: string, replace: (number: number, written: string) => unknown): unknown {
  const revive: Revive = (_key, value, { source }) =>
    typeof value === "number" ? replace(value, source ?? "") : value;
  return JSON.parse(text, revive as Parameters<typeof JSON.parse>[1]);
}

/** A whole number as JSON writes it, without fraction and exponent. */
const whole = /^-?\d+$/;

/** Whether a number of JSON is another one than what is written, or may be: a whole one past ±(2^53 - 1), or none at all. */
export function isRounded(number: number, written: string): boolean {
  return !Number.isSafeInteger(number) && (!Number.isFinite(number) || whole.test(written));
}

/** A number of JSON, in parts. */
const parts = /^-?(?<whole>\d+)(?:\.(?<fraction>\d+))?(?:[eE](?<exponent>[+-]?\d+))?$/;

/**
 * Whether a number is written back with the digits that it was read from, however they are arranged: `1.50e3` is 1500,
 * but `9007199254740993.0` has become another number.
 */
export function isReadBack(number: number, written: string): boolean {
  return digitsOf(written) === digitsOf(String(number));
}

/** A number's digits without zeros at either end, and the power of ten of the last. */
function digitsOf(written: string): string {
  const { whole: before = "", fraction = "", exponent = "0" } = parts.exec(written)?.groups ?? {};
  const all = `${before}${fraction}`;
  const digits = all.replace(/0+$/, "");
  return `${digits.replace(/^0+/, "")}e${Number(exponent) - fraction.length + all.length - digits.length}`;
}

/** As many digits as a whole number has that a number cannot hold. */
const manyDigits = /\d{16}/;

/** JSON in which a whole number past ±(2^53 - 1) is the text of its digits: `JSON.parse` would round it. */
export function parseExactly(text: string): unknown {
  // Looking is a fraction of parsing; parsing number by number takes several times as long.
  if (!manyDigits.test(text)) return JSON.parse(text);
  return parseNumbers(text, (number, written) => (isRounded(number, written) ? written : number));
}
