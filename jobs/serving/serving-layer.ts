import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import swagger from "@fastify/swagger";
import fastify, { type ConnectionError, type FastifyInstance, LogController } from "fastify";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import pLimit from "p-limit";
import * as z from "zod";
import { TooMuchError } from "../batch/too-much-error.ts";
import { boundedText, errorText } from "../bounded-text.ts";
import { misdirected } from "../hosts.ts";
import { PastRangeError } from "../measures/total.ts";
import { ReportLimit } from "../report-limit.ts";
import { mostKeyBytes } from "../views/admission.ts";
import { keyAnswerSchema, topAnswerSchema, viewsSchema } from "./answers.ts";
import { createMetrics } from "./metrics.ts";
import { keyParameters, ParameterErrors, topParameters } from "./parameters.ts";
import { problemSchema, problemText, sendProblem } from "./problem.ts";
import { type QueryOptions, queryKey, queryTop } from "./query.ts";
import { type AnyView, bounded, StoreError, type StoreName } from "./stores.ts";

/** What the serving layer answers from. */
export interface ServingLayerOptions extends QueryOptions {
  readonly views: readonly AnyView[];
  /**
   * The `Host` headers that are answered, e.g. `127.0.0.1:8080`, see `answeredHosts`; others get 421. Default: all
   */
  readonly hosts?: readonly string[];
  /** The most questions that are answered at once; as long as they are, their rows are in memory. Default: 64 */
  readonly parallelQuestions?: number;
  /** The most that wait for their turn; further ones are refused at once. Default: 256 */
  readonly waitingQuestions?: number;
  /**
   * Whether to log errors to standard output, as JSON lines: of each store at most one in 10 s, with how many there were;
   * or where else to write the lines. Default: false
   */
  readonly log?: boolean | { write(line: string): void };
}

/**
 * The serving layer's HTTP interface over its stores; call `listen` on it, or `inject` in tests.
 *
 * Documented by itself at `/openapi.json`. Errors are RFC 9457 problems: 400 names the query parameter, 404 is an
 * unknown view, 422 a question that needs more rows or keys than one may read, or a sum past its range, 431 a longer
 * address than that of any key that is kept, 503 names the store that does not answer, or says that too many
 * questions wait already. There is no partial answer.
 */
export async function createServingLayer(options: ServingLayerOptions): Promise<FastifyInstance> {
  const { views, stores } = options;
  const app = fastify({
    logger: typeof options.log === "object" ? { stream: options.log } : options.log === true,
    // Counting requests is the metrics' task.
    logController: new LogController({ disableRequestLogging: true }),
    // What is asked while it ends is answered, see `drain`.
    forceCloseConnections: "idle",
    return503OnClosing: false,
    // Every key that is kept can be asked for.
    http: { maxHeaderSize: mostHeaderBytes },
    clientErrorHandler,
    // A path that is no path, which no route and no other handler sees.
    frameworkErrors: (error, _request, reply) =>
      void sendProblem(reply, error.statusCode ?? 400, errorText(error, 200)),
  });
  const metrics = createMetrics(options, views);
  // An outage lasts longer than its first questions, and each would say the same.
  const failed = new ReportLimit();
  const turns = pLimit(options.parallelQuestions ?? 64);
  const inTurn = <Answer>(answer: () => Promise<Answer>): Promise<Answer> => {
    if (turns.pendingCount >= (options.waitingQuestions ?? 256)) throw new BusyError();
    return turns(answer);
  };
  app.setValidatorCompiler<z.ZodType>(({ schema }) => (data) => {
    const result = schema.safeParse(data);
    return result.success ? { value: result.data } : { error: new ParameterErrors(result.error.issues, data) };
  });
  // Answers are made by typed code: checking them again would cost more than making them.
  app.setSerializerCompiler(() => JSON.stringify);

  app.addHook("onRequest", async (request, reply) => {
    reply.header("cache-control", "no-store");
    const problem = misdirected(options.hosts, request.headers.host);
    if (problem !== undefined) return sendProblem(reply, 421, problem);
    const malformed = malformedParameter(request.url);
    if (malformed !== undefined) {
      const detail = `${malformed} is not written as a URL has it: a % stands before two hexadecimal digits of UTF-8 (% itself is %25)`;
      return sendProblem(reply, 400, detail, { parameter: malformed, errors: [{ parameter: malformed, detail }] });
    }
  });
  app.addHook("onResponse", async (request, reply) => {
    const { route, view } = request.routeOptions.config as { route?: string; view?: string };
    if (route === undefined || view === undefined) return;
    const layer = (request.query as { layer?: unknown }).layer;
    metrics.queries.observe(
      // An invalid layer is as good as none: labels must not grow with what people send.
      { route, view, layer: reply.statusCode === 400 ? "" : String(layer), status: reply.statusCode },
      reply.elapsedTime / 1_000,
    );
  });
  app.setErrorHandler((error, request, reply) => {
    if (error instanceof ParameterErrors)
      return sendProblem(reply, 400, error.message, { parameter: error.errors[0]?.parameter, errors: error.errors });
    const cause = error instanceof StoreError ? error.cause : error;
    if (cause instanceof TooMuchError || cause instanceof PastRangeError) return sendProblem(reply, 422, cause.message);
    if (error instanceof StoreError) {
      const failures = failed.note(error.store);
      if (failures !== undefined)
        request.log.warn({ store: error.store, path: boundedText(request.url), failures }, error.message);
      return sendProblem(reply, 503, `${error.store} does not answer`, { store: error.store });
    }
    if (error instanceof BusyError) return sendProblem(reply.header("retry-after", 1), 503, error.message);
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status < 500) return sendProblem(reply, status, errorText(error));
    const failures = failed.note("itself");
    if (failures !== undefined) {
      const stack = boundedText((error as Error).stack ?? "", 10_000);
      request.log.error({ path: boundedText(request.url), stack, failures }, errorText(error));
    }
    return sendProblem(reply, status, "something is wrong in the serving layer; its log says what");
  });
  app.setNotFoundHandler((request, reply) => {
    const name = /^\/views\/([^/?]+)/.exec(request.url)?.[1];
    const known = views.map((view) => view.name);
    return sendProblem(
      reply,
      404,
      name === undefined || known.includes(name)
        ? `there is nothing at ${boundedText(request.url.split("?")[0] as string, 200)}; /openapi.json lists what there is`
        : `there is no view ${boundedText(decode(name), 200)}; the views are ${known.join(", ")}`,
    );
  });

  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Serving layer",
        description: "Exact answers merged from the batch views and the speed views.",
        version: "1",
      },
    },
    transform: createJsonSchemaTransform({}),
  });
  const problems = { 400: problemSchema, 503: problemSchema };

  app.get(
    "/views",
    { schema: { summary: "Every view", response: { 200: viewsSchema, 503: problemSchema } } },
    async () => ({
      views: await Promise.all(
        views.map(async (view) => {
          const pointer = await bounded("pointer", options.storeTimeout ?? 5_000, (signal) =>
            stores.pointer(view, signal),
          );
          return {
            name: view.name,
            keyFields: [...view.keyFields],
            granularity: view.granularity,
            measures: Object.entries(view.measures).map(([name, { kind }]) => ({ name, kind })),
            version: pointer?.version ?? null,
            horizon: pointer?.horizon ?? null,
            retained: pointer?.retained.map(({ version }) => version) ?? [],
          };
        }),
      ),
    }),
  );

  // A route a view, so that its parameters are checked and documented as what they are.
  for (const view of views) {
    app.get(
      `/views/${view.name}`,
      {
        config: { route: "key", view: view.name },
        schema: {
          summary: `One key of ${view.name}`,
          querystring: keyParameters(view),
          response: { 200: keyAnswerSchema(view), ...problems },
        },
      },
      async (request) => {
        const { granularity, layer, from, to, ...fields } = request.query as z.output<ReturnType<typeof keyParameters>>;
        const values = fields as Readonly<Record<string, string>>;
        const key = view.keyFields.map((field) => values[field] ?? "");
        const answer = await inTurn(() => queryKey(options, view, { key, from, to, granularity, layer }));
        return { view: view.name, key: keyObject(view, key), granularity, ...answer };
      },
    );
    app.get(
      `/views/${view.name}/top`,
      {
        config: { route: "top", view: view.name },
        schema: {
          summary: `The keys of ${view.name} with the largest values`,
          querystring: topParameters(view),
          response: { 200: topAnswerSchema(view), ...problems, 422: problemSchema },
        },
      },
      async (request) => {
        const { measure, limit, layer, from, to } = request.query as z.output<ReturnType<typeof topParameters>>;
        const { rows, contains } = await inTurn(() => queryTop(options, view, { measure, limit, layer, from, to }));
        return {
          view: view.name,
          measure,
          rows: rows.map(({ key, value }) => ({ key: keyObject(view, key), value })),
          contains,
        };
      },
    );
  }

  app.get(
    "/healthz",
    { schema: { summary: "Whether the service runs", response: { 200: z.object({ status: z.literal("ok") }) } } },
    async () => ({ status: "ok" as const }),
  );
  app.get(
    "/readyz",
    {
      schema: {
        summary: "Whether every store that answers need can be read",
        response: { 200: z.object({ status: z.literal("ready") }), 503: problemSchema },
      },
    },
    async (_request, reply) => {
      const failed = await failingStores(options);
      if (failed.length === 0) return { status: "ready" as const };
      return sendProblem(reply, 503, failed.map((error) => error.message).join("; "), { store: failed[0]?.store });
    },
  );
  app.get("/metrics", { schema: { summary: "Measurements for Prometheus" } }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.collect()),
  );
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
  return app;
}

/** A key of the most bytes, each written as `%XX`, and 32 KiB for all else. */
const mostHeaderBytes = 3 * mostKeyBytes + 32 * 1024;

/** Answers what is no HTTP, or too long to be taken, with a problem as well: a socket that only closes says nothing. */
function clientErrorHandler(error: ConnectionError, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? [
          431,
          `the request's address and headers have more than ${mostHeaderBytes} bytes: no key that is kept is so long`,
        ]
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? [408, "the request did not come whole in time"]
        : [400, "this is no request of HTTP"];
  const body = problemText(status as number, detail as string);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status as number]}\r\ncontent-type: application/problem+json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}

/** The name of the first query parameter that is no percent-encoded UTF-8; undefined if all are. */
function malformedParameter(url: string): string | undefined {
  const query = url.indexOf("?");
  if (query < 0 || !url.includes("%", query)) return undefined;
  return url
    .slice(query + 1)
    .split("&")
    .find((part) => decoded(part) === undefined)
    ?.split("=", 1)
    .map((name) => boundedText(decoded(name) ?? name, 80))[0];
}

/** More questions come than can be answered. */
class BusyError extends Error {
  override readonly name = "BusyError";
  override readonly message = "too many questions wait for their answer; ask again later";
}

/** The errors of the stores that an answer needs, one a store. */
async function failingStores({ views, stores, storeTimeout = 5_000 }: ServingLayerOptions): Promise<StoreError[]> {
  const results = await Promise.allSettled([
    bounded("watermarks", storeTimeout, (signal) => stores.watermarks(signal)),
    bounded("batchReady", storeTimeout, (signal) => stores.batchReady(signal)),
    ...views.flatMap((view) => [
      bounded("pointer", storeTimeout, (signal) => stores.pointer(view, signal)),
      bounded("progress", storeTimeout, (signal) => stores.progress(view, 0, signal)),
    ]),
  ]);
  const failed = new Map<StoreName, StoreError>();
  for (const result of results)
    if (result.status === "rejected") failed.set(result.reason.store, result.reason as StoreError);
  return [...failed.values()];
}

function keyObject(view: AnyView, key: readonly string[]): Record<string, string> {
  return Object.fromEntries(view.keyFields.map((field, index) => [field, key[index] ?? ""]));
}

function decode(text: string): string {
  return decoded(text) ?? text;
}

/** What a text of a URL stands for; undefined if it is none. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
