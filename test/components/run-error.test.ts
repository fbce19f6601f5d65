import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { runError } from "../../components/run-error.ts";

test("Pulumi has nothing but the message to show, whatever is put before it", () => {
  const error = runError("the machine is too small");
  error.message = `error serializing property "metadata": ${error.message}`;
  expect([error.message, error.stack]).toEqual(["the machine is too small", undefined]);
  expect(pulumi.RunError.isInstance(error)).toBe(true);
});
