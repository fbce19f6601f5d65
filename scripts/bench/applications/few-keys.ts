import { application } from "../../../jobs/application.ts";
import { editsByChannel } from "../../../jobs/wikipedia/edits-by-channel.ts";
import { wikipediaEdit } from "../../../jobs/wikipedia/event.ts";

/** A view of few keys alone. */
export default application({ event: wikipediaEdit, views: [editsByChannel] });
