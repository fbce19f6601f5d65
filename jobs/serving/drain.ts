import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";

/** How long {@link drain} waits. */
export interface DrainOptions {
  /** Milliseconds for which it goes on taking questions, so that who asks on one connection is told to go. Default: 500 */
  readonly linger?: number;
  /** Milliseconds until connections are closed on which nothing, or nothing whole, was asked. Default: 5,000 */
  readonly limit?: number;
}

/**
 * Ends a server in order: whoever asks is answered, and told to ask the next time on another connection, where a server
 * beside it may answer; then it takes no more connections, and what was asked is answered before it ends.
 */
export async function drain(app: FastifyInstance, { linger = 500, limit = 5_000 }: DrainOptions = {}): Promise<void> {
  app.server.prependListener("request", (_request, response) => response.setHeader("connection", "close"));
  await sleep(linger);
  const timer = setTimeout(() => app.server.closeAllConnections(), limit);
  // Right after the connections were taken that have come: who has come is not turned away.
  await setImmediate();
  await app.close();
  clearTimeout(timer);
}
