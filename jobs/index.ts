/**
 * What an application is written with: its events' schema, its views and their measures. An application module imports
 * nothing else of this package, since it is bundled into every job.
 *
 * ```ts
 * import { application, count, sum, view } from "lambda-architecture/jobs";
 * import * as z from "zod";
 *
 * const reading = z.object({ time: z.iso.datetime(), sensor: z.string(), watts: z.number() });
 *
 * export const powerBySensor = view<z.infer<typeof reading>>({
 *   name: "power-by-sensor",
 *   time: (event) => event.time,
 *   granularity: "hour",
 *   key: { sensor: (event) => event.sensor },
 *   measures: { readings: count(), watts: sum((event) => event.watts, { scale: 3 }) },
 * });
 *
 * export default application({ event: reading, views: [powerBySensor] });
 * ```
 *
 * @module lambda-architecture/jobs
 */
export { type Application, application } from "./application.ts";
export type { HyperLogLog } from "./measures/hyper-log-log.ts";
export * from "./measures/index.ts";
export type { MeanState } from "./measures/mean.ts";
export type { Total } from "./measures/total.ts";
export { type Granularity, granularities } from "./views/granularity.ts";
export { type Place, type View, type ViewArgs, type ViewColumn, view } from "./views/view.ts";
