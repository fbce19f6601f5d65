import { expect, test } from "vitest";
import { dockerLogs, kubectlLogs } from "../../scripts/log-commands.ts";

test("a container's last lines, and what follows", () => {
  expect(dockerLogs("p-s-kafka-0", { lines: "20", follow: false })).toEqual([
    "docker",
    "logs",
    "--tail",
    "20",
    "p-s-kafka-0",
  ]);
  expect(dockerLogs("p-s-kafka-0", { lines: "all", follow: true })).toContain("--follow");
});

test("the pods of a system, in the stack's namespace", () => {
  const shown = (namespace: string, system?: string) =>
    kubectlLogs("p", "s", namespace, system, { lines: "5", follow: true }).join(" ");
  expect(shown("", "kafka")).toBe(
    "kubectl --namespace p-s logs --selector app.kubernetes.io/name=lambda-kafka --prefix --max-log-requests 50 --tail 5 --follow",
  );
  expect(shown("mine")).toBe("kubectl --namespace mine get pods --show-labels");
});
