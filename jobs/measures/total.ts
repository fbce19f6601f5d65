/**
 * Exact sums of whole units. A number holds them up to ±2^53; past it they go on as a bigint, up to ±(2^63 - 1), the range
 * of every store's long integers. What is past that is not known any more, and says so: it is never rounded.
 */
import type { ColumnValue } from "./measure.ts";

/** A sum: a number as long as that holds it exactly, else a bigint; NaN if it is, or was, past the range. */
export type Total = number | bigint;

/** The range of a total is ± this. */
export const greatestTotal = 2n ** 63n - 1n;

/** How a total past the range is stored: the one long integer that is none of a total. */
export const pastRange = String(-greatestTotal - 1n);

/** An answer is past the range in which it is kept exactly. */
export class PastRangeError extends RangeError {
  override readonly name = "PastRangeError";
}

const [smallest, largest] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];

/** The sum of two totals. */
export function addTotals(a: Total, b: Total): Total {
  if (typeof a === "number" && typeof b === "number") {
    const total = a + b;
    if (total <= largest && total >= smallest) return total;
  }
  return addLarge(a, b);
}

function addLarge(a: Total, b: Total): Total {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  return totalOf(BigInt(a) + BigInt(b));
}

/** A total in its one form. */
function totalOf(total: bigint): Total {
  if (total > greatestTotal || total < -greatestTotal) return Number.NaN;
  return total <= largest && total >= smallest ? Number(total) : total;
}

/** How a total is stored: a number, or the digits of what a number cannot hold. */
export function encodeTotal(total: Total): number | string {
  if (typeof total === "number" && !Number.isNaN(total)) return total;
  return typeof total === "bigint" ? String(total) : pastRange;
}

/**
 * The inverse of {@link encodeTotal}.
 *
 * @throws {RangeError} if the value is no total, or a number that may have been rounded
 */
export function decodeTotal(value: ColumnValue | undefined): Total {
  if (Number.isSafeInteger(value)) return value as number;
  if (typeof value === "string" && /^-?\d{1,20}$/.test(value)) return totalOf(BigInt(value));
  throw new RangeError(`a stored sum is no whole number that is read exactly: ${JSON.stringify(value)}`);
}

/** Digits of a decimal number that a number holds whatever they are. */
const safeDecimal = 10 ** 15;

/**
 * A total of units of `10^-scale`: a number if that is exactly what it is, else all digits as a text.
 *
 * @throws {PastRangeError} if it is past the range
 */
export function decimalOf(total: Total, scale: number): number | string {
  checkRange(total);
  if (typeof total === "number" && (scale === 0 || (total < safeDecimal && total > -safeDecimal)))
    return total / 10 ** scale;
  const digits = String(total < 0 ? -total : total).padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  return `${total < 0 ? "-" : ""}${whole}${scale === 0 ? "" : `.${digits.slice(-scale)}`}`;
}

/**
 * The number that is nearest to a total divided by a count of units.
 *
 * @param factor units a whole
 * @throws {PastRangeError} if the total is past the range
 */
export function quotientOf(total: Total, factor: number, count: number): number {
  checkRange(total);
  const divisor = factor * count;
  if (typeof total === "number" && divisor <= largest) return total / divisor;
  return nearest(BigInt(total), BigInt(factor) * BigInt(count));
}

/** The number that is nearest to a fraction. */
function nearest(numerator: bigint, denominator: bigint): number {
  if (numerator < 0n) return -nearest(-numerator, denominator);
  // More bits than a number has, of the smallest quotient too, and one that tells whether more would follow: rounded once.
  const scaled = numerator << 140n;
  const rest = scaled % denominator === 0n ? 0n : 1n;
  return Number(((scaled / denominator) << 1n) | rest) / 2 ** 141;
}

function checkRange(total: Total): void {
  if (Number.isNaN(total))
    throw new PastRangeError(`the sum is, or was, past ±${greatestTotal} units, and is not known exactly any more`);
}
