import { expect, test } from "vitest";
import { datasource, isVersion, nextVersion, versionOfDatasource } from "../../../jobs/batch/versions.ts";

test("a version is its time in UTC", () => {
  expect(nextVersion(Date.UTC(2026, 10, 23, 17, 5, 9, 42), [])).toBe("20261123T170509042");
});

test("a version sorts after every existing one, even if the clock was set back", () => {
  expect(nextVersion(0, ["20261123T170509999", "20260101T000000000"])).toBe("20261123T170510000");
});

test("a datasource tells its version", () => {
  const name = datasource("edits-by-page", "0123abcd", "20261123T170509042");
  expect(name).toBe("edits_by_page_0123abcd_20261123T170509042");
  expect(versionOfDatasource(name)).toBe("20261123T170509042");
  expect(versionOfDatasource("wikipedia")).toBeUndefined();
  expect(versionOfDatasource("orders_20261123T170509042")).toBeUndefined();
});

test("what is no version is told from one", () => {
  expect(isVersion("20261123T170509042")).toBe(true);
  expect(isVersion("_temporary")).toBe(false);
});
