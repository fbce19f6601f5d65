export { format, table } from "../../components/table.ts";
