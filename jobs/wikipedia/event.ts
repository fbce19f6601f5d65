import * as z from "zod";

const nullableText = z.string().nullish();

/** An edit of a Wikipedia page, as in Apache Druid's quickstart data. */
export const wikipediaEdit = z.object({
  /** When the edit was made: ISO 8601 with time zone. */
  time: z.iso.datetime({ offset: true }),
  /** The wiki, e.g. `#en.wikipedia`. */
  channel: z.string().min(1),
  page: z.string().min(1),
  user: z.string().min(1),
  namespace: nullableText,
  comment: nullableText,
  /** Characters added, deleted, and the difference. */
  added: z.int(),
  deleted: z.int(),
  delta: z.int().nullish(),
  isRobot: z.boolean().nullish(),
  isAnonymous: z.boolean().nullish(),
  isMinor: z.boolean().nullish(),
  isNew: z.boolean().nullish(),
  isUnpatrolled: z.boolean().nullish(),
  cityName: nullableText,
  countryName: nullableText,
  countryIsoCode: nullableText,
  regionName: nullableText,
  regionIsoCode: nullableText,
  metroCode: z.union([z.string(), z.number()]).nullish(),
});

export type WikipediaEdit = z.infer<typeof wikipediaEdit>;
