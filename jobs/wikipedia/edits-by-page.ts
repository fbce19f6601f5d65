import { count, sum } from "../measures/index.ts";
import { view } from "../views/view.ts";
import type { WikipediaEdit } from "./event.ts";

/** How much each page is edited, by the hour. */
export const editsByPage = view<WikipediaEdit>({
  name: "edits-by-page",
  time: (edit) => edit.time,
  granularity: "hour",
  key: { channel: (edit) => edit.channel, page: (edit) => edit.page },
  measures: { edits: count(), added: sum((edit) => edit.added) },
});
