import { expect, test } from "vitest";
import { modulePath } from "../../components/module-path.ts";

test("is TypeScript beside TypeScript, and JavaScript beside what was compiled", () => {
  expect(modulePath("../jobs/a.b/main.ts", "file:///a%20checkout/components/x.ts")).toBe(
    "/a checkout/jobs/a.b/main.ts",
  );
  expect(modulePath("./main.ts", "file:///node_modules/package/dist/x.js")).toBe("/node_modules/package/dist/main.js");
});
