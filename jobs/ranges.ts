/** Offsets `[start, end)` of a partition. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** What is left of a range without others, in order. The others may come in any order and overlap. */
export function without(range: Range, others: readonly Range[]): Range[] {
  const left: Range[] = [];
  let from = range.start;
  for (const { start, end } of others.toSorted((a, b) => a.start - b.start)) {
    if (end <= from) continue;
    if (start >= range.end) break;
    if (start > from) left.push({ start: from, end: start });
    from = end;
  }
  if (from < range.end) left.push({ start: from, end: range.end });
  return left;
}

/** The part of a range that lies within another; undefined if none does. */
export function within({ start, end }: Range, other: Range): Range | undefined {
  const part = { start: Math.max(start, other.start), end: Math.min(end, other.end) };
  return part.start < part.end ? part : undefined;
}

/** How many offsets the ranges have, which do not overlap. */
export function totalOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}
