export { count } from "./count.ts";
export { distinct } from "./distinct.ts";
export type { AnyMeasure, ColumnValue, Measure, StateColumn } from "./measure.ts";
export { sum } from "./sum.ts";
