import { shellWords } from "../../shell-words.ts";
import { ownAddress, ownName } from "./replicas.ts";

/** The command of a probe or hook: there Kubernetes puts in no variables, so a shell does where there are any. */
export function withShellVariables(command: readonly string[]): string[] {
  if (!command.some((part) => part.includes(ownAddress) || part.includes(ownName))) return command.map(unescaped);
  const words = command.map((part) =>
    unescaped(shellWords([part]).replaceAll(ownAddress, `'"$POD_ADDRESS"'`).replaceAll(ownName, `'"$POD_NAME"'`)),
  );
  return ["/bin/sh", "-c", `exec ${words.join(" ")}`];
}

/** What Kubernetes makes of an escaped variable. */
function unescaped(text: string): string {
  return text.replaceAll("$$(", () => "$(");
}
