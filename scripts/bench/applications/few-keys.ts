import { application } from "../../../jobs/application.ts";
import { count, sum } from "../../../jobs/measures/index.ts";
import { view } from "../../../jobs/views/view.ts";
import { type WikipediaEdit, wikipediaEdit } from "../../../jobs/wikipedia/event.ts";

/** A view of few keys and long time steps alone: some fifty events come to one row of a chunk. */
export default application({
  event: wikipediaEdit,
  views: [
    view<WikipediaEdit>({
      name: "edits-by-channel-and-hour",
      time: (edit) => edit.time,
      granularity: "hour",
      key: { channel: (edit) => edit.channel },
      measures: { edits: count(), added: sum((edit) => edit.added), deleted: sum((edit) => edit.deleted) },
    }),
  ],
});
