import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The absolute path of a module that is to be bundled: TypeScript in the checkout, and in the installed package, where
 * no TypeScript is, the JavaScript that was made of it.
 *
 * @param path the module's path in the checkout, `….ts`, relative to the module that asks
 * @param from `import.meta.url` of the module that asks, whose own extension tells which of the two it is
 */
export function modulePath(path: string, from: string): string {
  return fileURLToPath(new URL(path.replace(/\.ts$/, extname(fileURLToPath(from))), from));
}
