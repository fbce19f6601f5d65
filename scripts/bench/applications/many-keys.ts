import { application } from "../../../jobs/application.ts";
import { editsByPage } from "../../../jobs/wikipedia/edits-by-page.ts";
import { wikipediaEdit } from "../../../jobs/wikipedia/event.ts";

/** A view of almost as many keys as events alone. */
export default application({ event: wikipediaEdit, views: [editsByPage] });
