import { ownAddress, ownName } from "./replicas.ts";

/**
 * A command that first runs another one, in one process of the container, so that the last receives its signals.
 * Kubernetes puts in the variables.
 */
export function afterPrepare(prepare: readonly string[], command: readonly string[]): string[] {
  return ["/bin/sh", "-c", `${prepare.map(quote).join(" ")} && exec ${command.map(quote).join(" ")}`];
}

/** The command of a probe or hook: there Kubernetes puts in no variables, so a shell does where there are any. */
export function withShellVariables(command: readonly string[]): string[] {
  if (!command.some((part) => part.includes(ownAddress) || part.includes(ownName))) return command.map(unescaped);
  const words = command.map((part) =>
    unescaped(quote(part).replaceAll(ownAddress, `'"$POD_ADDRESS"'`).replaceAll(ownName, `'"$POD_NAME"'`)),
  );
  return ["/bin/sh", "-c", `exec ${words.join(" ")}`];
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What Kubernetes makes of an escaped variable. */
function unescaped(text: string): string {
  return text.replaceAll("$$(", () => "$(");
}
