import { setTimeout as sleep } from "node:timers/promises";
import type { AnyView } from "../../jobs/serving/stores.ts";
import { generate } from "../../jobs/sources/generator.ts";
import type { WikipediaEdit } from "../../jobs/wikipedia/event.ts";
import { cpuBetween, cpuOf, cpuTimes } from "./cpu.ts";
import type { Results } from "./results.ts";
import type { Session } from "./session.ts";
import { quantile } from "./statistics.ts";

/** Questions a second, and for how many seconds. */
const rate = 200;
const seconds = 15;
/** What comes before, which is not measured: rates and seconds. Servers that have just started do everything slowly. */
const warmUps = [
  [20, 4],
  [80, 4],
  [rate, 3],
] as const;
/** Questions for the largest keys, one after the other. */
const tops = 30;

/**
 * Merged answers under load: questions for keys at a steady rate, whether or not the ones before are answered, each
 * timed from when it was due. Keys as often as events have them. Then the largest keys, one question after the other.
 *
 * @returns the median of each run, in milliseconds
 */
export async function measureQueries(
  session: Session,
  results: Results,
  { of, events, runs }: { of: string; events: number; runs: number },
): Promise<{ key: number[]; top: number[] }> {
  const subject = { part: "query", of } as const;
  const medians: { readonly key: number[]; readonly top: number[] } = { key: [], top: [] };
  for (let run = 0; run < runs; run++) {
    for (const [slower, duration] of warmUps) await load(session, events, run, slower, duration);
    const before = await cpuTimes(session.stack);
    const { times, failed } = await load(session, events, run, rate, seconds);
    const used = cpuBetween(before, await cpuTimes(session.stack));
    results.add({ ...subject, what: `${rate} keys/s, without an answer`, unit: "questions" }, failed);
    results.add({ ...subject, what: `${rate} keys/s, p50`, unit: "ms" }, quantile(times, 0.5));
    results.add({ ...subject, what: `${rate} keys/s, p99`, unit: "ms" }, quantile(times, 0.99));
    results.add(
      { ...subject, what: `${rate} keys/s, CPU of all`, unit: "ms/answer" },
      (cpuOf(used) / times.length) * 1e3,
    );
    for (const view of session.views) {
      const top: number[] = [];
      const url = `${session.architecture.queryUrl}/views/${view.name}/top?measure=edits&limit=10`;
      for (let index = 0; index < tops; index++) {
        const answer = await ask(url);
        if (answer === "too many keys") break;
        top.push(answer);
      }
      if (top.length === 0) continue;
      results.add({ ...subject, what: `top 10 of ${view.name}, first`, unit: "ms" }, top[0] as number);
      results.add({ ...subject, what: `top 10 of ${view.name}, p50`, unit: "ms" }, quantile(top.slice(1), 0.5));
      medians.top.push(quantile(top.slice(1), 0.5));
    }
    medians.key.push(quantile(times, 0.5));
  }
  return medians;
}

/** Milliseconds of each answer, and how many questions had none but an error. */
async function load(session: Session, events: number, seed: number, perSecond: number, duration: number) {
  const began = performance.now();
  const answers: Promise<number>[] = [];
  for (let index = 0; index < perSecond * duration; index++) {
    const due = began + (index * 1_000) / perSecond;
    if (due > performance.now()) await sleep(due - performance.now());
    const question = questionUrl(session, events, seed * rate * seconds + index);
    const answer = ask(question).then(() => performance.now() - due);
    // Looked at below; until then its failure is not unhandled.
    answer.catch(() => {});
    answers.push(answer);
  }
  const settled = await Promise.allSettled(answers);
  const times = settled.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  return { times, failed: settled.length - times.length };
}

/** A question for the key that an event has, over all time or a day, of one view after the other. */
function questionUrl({ architecture, views }: Session, events: number, number: number): string {
  const view = views[number % views.length] as AnyView;
  // Every index is prime to the step, so that the events are from everywhere.
  const edit: WikipediaEdit = generate(1, (number * 7_919) % events);
  const key = view.key(edit);
  const fields = view.keyFields.map((field, index) => [field, key[index] ?? ""] as const);
  const parameters = new URLSearchParams(Object.fromEntries(fields));
  parameters.set("granularity", "hour");
  if (number % 4 < 2) parameters.set("from", `${edit.time.slice(0, 10)}T00:00:00Z`);
  return `${architecture.queryUrl}/views/${view.name}?${parameters}`;
}

/** Milliseconds until an answer is read; of the top of a view that has too many keys for one, that. */
async function ask(url: string): Promise<number | "too many keys"> {
  const began = performance.now();
  const response = await fetch(url);
  const text = await response.text();
  if (response.status === 422) return "too many keys";
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${text}`);
  return performance.now() - began;
}
