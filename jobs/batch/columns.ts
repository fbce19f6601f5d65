import type { View, ViewColumn } from "../views/view.ts";

/**
 * The stored columns of one of the view's measures, in order.
 *
 * @throws {TypeError} if the view has no such measure
 */
// biome-ignore lint/suspicious/noExplicitAny: a view of any event; its events are not looked at here
export function measureColumns(view: View<any>, measure: string): readonly ViewColumn[] {
  let first = 0;
  for (const [name, { columns }] of Object.entries(view.measures)) {
    if (name === measure) return view.columns.slice(first, first + columns.length);
    first += columns.length;
  }
  throw new TypeError(`view ${view.name} has no measure ${measure}`);
}
