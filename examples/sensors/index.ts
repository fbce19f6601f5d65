import * as z from "zod";
import { application } from "../../jobs/application.ts";
import { count, distinct, max, mean, min } from "../../jobs/measures/index.ts";
import { view } from "../../jobs/views/view.ts";

/** A reading of a sensor. What does not fit goes to the dead-letter topic. */
const reading = z.object({
  time: z.iso.datetime({ offset: true }),
  site: z.string().min(1),
  sensor: z.string().min(1),
  /** Degrees Celsius. */
  temperature: z.number(),
  firmware: z.string(),
});
type Reading = z.infer<typeof reading>;

/** How warm it is at each sensor, by the minute. */
export const bySensor = view<Reading>({
  name: "readings-by-sensor",
  time: (reading) => reading.time,
  granularity: "minute",
  key: { sensor: (reading) => reading.sensor },
  measures: {
    readings: count(),
    mean: mean((reading) => reading.temperature, { scale: 2 }),
    coldest: min((reading) => reading.temperature),
    warmest: max((reading) => reading.temperature),
    firmwares: distinct((reading) => reading.firmware),
  },
});

/** How warm it is at each site, and how many sensors say so, by the hour. */
export const bySite = view<Reading>({
  name: "readings-by-site",
  time: (reading) => reading.time,
  granularity: "hour",
  key: { site: (reading) => reading.site },
  measures: {
    readings: count(),
    mean: mean((reading) => reading.temperature, { scale: 2 }),
    sensors: distinct((reading) => reading.sensor),
  },
});

export default application({ event: reading, views: [bySensor, bySite] });
