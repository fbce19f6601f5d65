import swagger from "@fastify/swagger";
import fastify, { type FastifyInstance, LogController } from "fastify";
import { createJsonSchemaTransform } from "fastify-type-provider-zod";
import pLimit from "p-limit";
import * as z from "zod";
import { TooManyKeysError } from "../batch/query.ts";
import { misdirected } from "../hosts.ts";
import { ReportLimit } from "../report-limit.ts";
import { keyAnswerSchema, topAnswerSchema, viewsSchema } from "./answers.ts";
import { createMetrics } from "./metrics.ts";
import { keyParameters, ParameterErrors, topParameters } from "./parameters.ts";
import { problemSchema, sendProblem } from "./problem.ts";
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
 * unknown view, 422 a view of too many keys to rank them, 503 names the store that does not answer, or says that too many
 * questions wait already. There is no partial answer.
 */
export async function createServingLayer(options: ServingLayerOptions): Promise<FastifyInstance> {
  const { views, stores } = options;
  const app = fastify({
    logger: typeof options.log === "object" ? { stream: options.log } : options.log === true,
    // Counting requests is the metrics' task.
    logController: new LogController({ disableRequestLogging: true }),
    // A probe that holds a connection open must not delay the end.
    forceCloseConnections: true,
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
    if (error instanceof StoreError && error.cause instanceof TooManyKeysError)
      return sendProblem(reply, 422, error.cause.message);
    if (error instanceof StoreError) {
      const failures = failed.note(error.store);
      if (failures !== undefined)
        request.log.warn({ store: error.store, path: boundedText(request.url), failures }, boundedText(error.message));
      return sendProblem(reply, 503, `${error.store} does not answer`, { store: error.store });
    }
    if (error instanceof BusyError) return sendProblem(reply.header("retry-after", 1), 503, error.message);
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status < 500) return sendProblem(reply, status, (error as Error).message);
    const failures = failed.note("itself");
    if (failures !== undefined) request.log.error({ err: error, failures }, "a question failed");
    return sendProblem(reply, status, "something is wrong in the serving layer; its log says what");
  });
  app.setNotFoundHandler((request, reply) => {
    const name = /^\/views\/([^/?]+)/.exec(request.url)?.[1];
    const known = views.map((view) => view.name);
    return sendProblem(
      reply,
      404,
      name === undefined || known.includes(name)
        ? `there is nothing at ${request.url.split("?")[0]}; /openapi.json lists what there is`
        : `there is no view ${decode(name)}; the views are ${known.join(", ")}`,
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

/** The text, cut where it is made of what anybody sends. */
function boundedText(text: string): string {
  return text.length > 500 ? `${text.slice(0, 499)}…` : text;
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
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
