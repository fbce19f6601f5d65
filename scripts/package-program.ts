import { spawn } from "node:child_process";
import { checkout } from "./environment.ts";

/** Runs a program of the installed packages in the checkout, its output passed on, and gives its exit code. */
export async function runPackageProgram(program: string, ...args: readonly string[]): Promise<number> {
  const child = spawn(program, args, { cwd: checkout, stdio: "inherit" });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
