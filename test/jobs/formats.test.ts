import { expect, test } from "vitest";
import { checkFormat, UnknownFormatError } from "../../jobs/formats.ts";

test("what was written before there were formats is format 1; what newer code wrote is refused with what to do", () => {
  expect(checkFormat("the pointer of edits-by-page", undefined, 2)).toBe(1);
  expect(checkFormat("the pointer of edits-by-page", null, 1)).toBe(1);
  expect(checkFormat("the pointer of edits-by-page", 2, 2)).toBe(2);
  expect(() => checkFormat("the pointer of edits-by-page", 3, 2)).toThrow(
    new UnknownFormatError(
      "the pointer of edits-by-page has format 3; this code knows formats up to 2. It was written by newer code: deploy that, or a later one",
    ),
  );
  expect(() => checkFormat("a letter", 0, 2)).toThrow(UnknownFormatError);
  expect(() => checkFormat("a letter", Number.NaN, 2)).toThrow(UnknownFormatError);
});
