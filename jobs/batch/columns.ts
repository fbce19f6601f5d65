import type { View, ViewColumn } from "../views/view.ts";

// biome-ignore lint/suspicious/noExplicitAny: a view of any event; what is stored of it holds no event
export type AnyView = View<any>;

/**
 * The stored columns of one of the view's measures, in order.
 *
 * @throws {TypeError} if the view has no such measure
 */
export function measureColumns(view: AnyView, measure: string): readonly ViewColumn[] {
  let first = 0;
  for (const [name, { columns }] of Object.entries(view.measures)) {
    if (name === measure) return view.columns.slice(first, first + columns.length);
    first += columns.length;
  }
  throw new TypeError(`view ${view.name} has no measure ${measure}`);
}
