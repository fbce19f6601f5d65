export { count } from "./count.ts";
export { distinct } from "./distinct.ts";
export { max } from "./max.ts";
export { mean } from "./mean.ts";
export type { Answer, AnyMeasure, ColumnValue, Measure, StateColumn } from "./measure.ts";
export { min } from "./min.ts";
export { sum } from "./sum.ts";
