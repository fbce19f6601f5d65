/** Signs of a path that some server's scripts, class path, lists of folders or addresses of files take for more than a name. */
const separators = /[\s\p{Cc}#%:;,'"`\\$&*?!^|<>()[\]{}]/u;

/**
 * Why servers cannot have their files under a path, in one sentence with the fix; undefined if they can. Hadoop's scripts
 * and configuration know no way to quote a path.
 *
 * @param path the absolute path
 * @param what it is, e.g. `the project's folder`
 */
export function serverPathProblem(path: string, what: string): string | undefined {
  const sign = separators.exec(path)?.[0];
  if (sign === undefined) return undefined;
  const name = sign === " " ? "a blank" : JSON.stringify(sign);
  return `${what}, ${path}, has ${name} in its path, which Hadoop's servers do not take. Fix: move it to a path without`;
}
