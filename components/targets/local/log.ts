import { open, stat } from "node:fs/promises";

/** How much of a log an error shows. */
const lines = 20;
const lineLength = 300;

/** The log's size in bytes: where what comes next begins. 0 if there is none. */
export async function logSize(file: string): Promise<number> {
  return (await stat(file).catch(() => undefined))?.size ?? 0;
}

/** The last line that the log got since it had the size given, cut if it is long; empty if there is none. */
export async function lastLine(file: string, since: number): Promise<string> {
  if ((await logSize(file)) <= since) return "";
  return (await lastLines(file, since)).split("\n").at(-1)?.trim() ?? "";
}

/** The last 20 lines that the log got since it had the size given, indented; long lines are cut. */
export async function lastLines(file: string, since: number): Promise<string> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) return "  (nothing)";
  try {
    const { size } = await handle.stat();
    // A log that is smaller than it was has been rotated.
    const from = Math.max(size < since ? 0 : since, size - lines * lineLength * 4);
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(size - from), position: from });
    return indent(buffer.toString("utf8", 0, bytesRead));
  } finally {
    await handle.close();
  }
}

/** The last 20 lines of the text, indented; long lines are cut. */
export function indent(text: string): string {
  const all = text.trimEnd().split("\n");
  if (text.trim() === "") return "  (nothing)";
  return all
    .slice(-lines)
    .map((line) => `  ${line.length > lineLength ? `${line.slice(0, lineLength - 1)}…` : line}`)
    .join("\n");
}
