import { count, distinct, sum } from "../measures/index.ts";
import { view } from "../views/view.ts";
import type { WikipediaEdit } from "./event.ts";

/** How much each wiki is edited, by the minute. */
export const editsByChannel = view<WikipediaEdit>({
  name: "edits-by-channel",
  time: (edit) => edit.time,
  granularity: "minute",
  key: { channel: (edit) => edit.channel },
  measures: {
    edits: count(),
    added: sum((edit) => edit.added),
    deleted: sum((edit) => edit.deleted),
    users: distinct((edit) => edit.user),
  },
});
