import { pathToFileURL } from "node:url";
import type { Application } from "../jobs/application.ts";

/** An application module and what it exports. */
export interface LoadedApplication {
  /** The absolute path of the module. */
  readonly module: string;
  // biome-ignore lint/suspicious/noExplicitAny: the deployment reads the views' shapes only, never an event
  readonly application: Application<any>;
}

/**
 * Loads the module of an application: TypeScript with an `application(…)` as its default export.
 *
 * @param module the module's absolute path
 * @throws {TypeError} if it cannot be loaded or exports no application
 */
export async function loadApplication(module: string): Promise<LoadedApplication> {
  const exported = await import(pathToFileURL(module).href).catch((error: unknown) => {
    throw new TypeError(
      `the application ${module} cannot be loaded: ${error instanceof Error ? error.message : error}`,
    );
  });
  const application = exported.default as Application | undefined;
  if (application?.event === undefined || application.views === undefined)
    throw new TypeError(`${module} exports no application; end it with: export default application({ event, views })`);
  return { module, application };
}
