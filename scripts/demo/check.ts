import { loadApplication } from "../../components/application.ts";
import { type CheckResult, checkAnswers } from "../../jobs/oracle/check.ts";
import type { RunningArchitecture } from "./architecture.ts";
import type { Log } from "./log.ts";

/** Questions of one round of {@link checkUntil}. */
const roundQuestions = 100;

/** What to ask, see `CheckOptions`. */
export interface Questions {
  readonly queries: number;
  readonly settled: boolean;
  readonly seed?: number;
}

/** Compares answers with one pass in memory over the log. */
export async function check(
  { queryUrl, application: module }: RunningArchitecture,
  log: Log,
  questions: Questions,
): Promise<CheckResult> {
  const { application } = await loadApplication(module);
  const stop = new AbortController();
  try {
    const events = await log.events(questions.settled ? undefined : stop.signal);
    return await checkAnswers({ ...questions, queryUrl, application, events });
  } finally {
    stop.abort();
  }
}

/** Checks round after round of answers while events go on, until it is over; one round at least. */
export async function checkUntil(
  isOver: () => boolean,
  architecture: RunningArchitecture,
  log: Log,
): Promise<CheckResult> {
  let all = await check(architecture, log, { queries: roundQuestions, settled: false });
  for (let seed = 2; !isOver(); seed++) {
    const round = await check(architecture, log, { queries: roundQuestions, settled: false, seed });
    all = {
      ...round,
      answers: all.answers + round.answers,
      numbers: all.numbers + round.numbers,
      differing: all.differing + round.differing,
      differ: [...all.differ, ...round.differ].slice(0, 10),
      unavailable: all.unavailable + round.unavailable,
      versions: [...new Set([...all.versions, ...round.versions])].sort(),
    };
  }
  return all;
}
