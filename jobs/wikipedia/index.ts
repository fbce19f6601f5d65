import { application } from "../application.ts";
import { editsByChannel } from "./edits-by-channel.ts";
import { editsByPage } from "./edits-by-page.ts";
import { wikipediaEdit } from "./event.ts";

/** The example application: edits of Wikipedia. */
export default application({ event: wikipediaEdit, views: [editsByChannel, editsByPage] });
