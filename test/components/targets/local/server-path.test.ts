import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { createLocalTarget } from "../../../../components/targets/local/index.ts";
import { serverPathProblem } from "../../../../components/targets/local/server-path.ts";

test.each(["/home/me/lambda", "/srv/v1.2_x-y+z@3=~a/b", "/home/jörg/アプリ"])("servers take %s", (path) => {
  expect(serverPathProblem(path, "the project's folder")).toBeUndefined();
});

test.each([
  ["/home/my projects/a", "a blank"],
  ["/home/a#b", '"#"'],
  ["/home/50%", '"%"'],
  ["/home/a,b", '","'],
  ["/home/a(1)", '"("'],
  ["/home/a\nb", String.raw`"\n"`],
])("a server's files under %j are refused by a target at once, with the cause and the fix", (path, sign) => {
  const problem = serverPathProblem(path, "the project's folder");
  expect(problem).toContain(`has ${sign} in its path`);
  expect(problem).toContain("Fix: move it");
  const create = () => createLocalTarget({ project: "p", stack: "s", folder: path });
  expect(create).toThrow(pulumi.RunError);
  expect(create).toThrow(`has ${sign} in its path`);
});
