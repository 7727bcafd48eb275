import { ShortlistError } from '../domain/errors.js';
import { unpackError } from '../domain/packed-error.js';
import type { Settings } from '../config/settings.js';
import type { MetricsSnapshot } from '../observability/metrics.js';
import { joinReloads } from './join-reloads.js';
import type { ProcessAnswers, ProcessBundle, ProcessOrder, ProcessReport } from './process-messages.js';
import type { RecommendationService, ServiceDescription } from './recommendation-service.js';

/** A server process as `node:cluster` gives it. */
export interface ServerProcess {
  /** @param onSent is told whether it was sent: a process that has ended takes no more */
  send(order: ProcessOrder, onSent: () => void): unknown;
  on(event: 'message', listener: (report: ProcessReport) => void): unknown;
  on(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): unknown;
}

export interface ProcessGroupOptions extends Omit<Settings['supervisor'], 'processes'> {
  /** Processes, 1 or more. */
  readonly processes: number;
  /** Starts the process of a place, from 1. */
  readonly start: (place: number) => ServerProcess;
  /** From 0 to below 1; of the time before a process is started anew. */
  readonly random: () => number;
  /** Is told of each process that ended by itself. */
  readonly onLost: (end: LostProcess) => void;
  /** Is told when too many did: none is started any more. */
  readonly onGivenUp: (error: ShortlistError) => void;
}

export interface LostProcess {
  readonly place: number;
  /** How it ended: `exit code 1`, `SIGKILL`. */
  readonly how: string;
  /** Until another one is started in its place. */
  readonly restartMs: number;
}

/** Server processes that are kept running, with what an admin asks of all of them. */
export interface ProcessGroup extends Pick<RecommendationService, 'describe' | 'views' | 'reload'> {
  /**
   * The address that all of them listen at, once all do.
   * @throws ShortlistError PROCESS_FAILED when one ends before
   */
  readonly serving: Promise<string>;
  /** What each process has open; one that was restarted may have another bundle than the rest. */
  descriptions(): ServiceDescription[];
  /** The metrics of every process that serves. */
  metrics(): Promise<MetricsSnapshot[]>;
  /**
   * Lets every process drain and end.
   * @throws ShortlistError PROCESS_FAILED naming those that did not end with 0
   */
  stop(): Promise<void>;
}

/** One of the places that processes take. */
interface Place {
  readonly number: number;
  process: ServerProcess | undefined;
  bundle: ProcessBundle | undefined;
  isServing: boolean;
  restart: NodeJS.Timeout | undefined;
}

/**
 * Starts server processes and keeps them running. The first ones listen when the bundles of all are open; one that takes the place of
 * another listens when its own is.
 */
export function createProcessGroup(options: ProcessGroupOptions): ProcessGroup {
  const { onLost, onGivenUp } = options;
  const places = Array.from({ length: options.processes }, (_, index): Place => ({
    number: index + 1,
    process: undefined,
    bundle: undefined,
    isServing: false,
    restart: undefined,
  }));
  const questions = createQuestions();
  const unclean: string[] = [];
  /** When processes ended by themselves of late, on the clock of `performance.now()`. */
  let deaths: number[] = [];
  let phase: 'starting' | 'serving' | 'ending' = 'starting';
  let onAllEnded = (): void => undefined;
  let settle: { resolve: (url: string) => void; reject: (error: unknown) => void };
  const serving = new Promise<string>((resolve, reject) => (settle = { resolve, reject }));

  function start(place: Place): void {
    const started = options.start(place.number);
    place.process = started;
    started.on('message', (report) => hear(place, report));
    started.on('exit', (code, signal) => bury(place, { process: started, code, signal }));
  }

  function hear(place: Place, report: ProcessReport): void {
    if ('bundle' in report) place.bundle = report.bundle;
    if (report.report === 'open') {
      if (phase === 'serving') place.process?.send({ order: 'listen' }, ignore);
      else if (places.every(({ bundle }) => bundle !== undefined)) tellAll({ order: 'listen' });
    } else if (report.report === 'serving') {
      place.isServing = true;
      if (phase !== 'starting' || !places.every(({ isServing }) => isServing)) return;
      phase = 'serving';
      settle.resolve(report.url);
    } else if (report.report !== 'changed') {
      questions.settle(report);
    }
  }

  function bury(
    place: Place,
    end: { process: ServerProcess; code: number | null; signal: string | null },
  ): void {
    const how = end.signal ?? `exit code ${end.code}`;
    Object.assign(place, { process: undefined, bundle: undefined, isServing: false });
    const error = new ShortlistError('PROCESS_FAILED', `Server process ${place.number} has ended (${how}).`);
    questions.abandon(end.process, error);
    if (phase === 'serving') return replace(place, how);
    if (end.code !== 0) unclean.push(`process ${place.number}: ${how}`);
    if (phase === 'starting') settle.reject(error);
    if (places.every(({ process }) => process === undefined)) onAllEnded();
  }

  function replace(place: Place, how: string): void {
    const { maxDeaths, deathWindowMs, restartDelayMs, maxRestartDelayMs } = options;
    const now = performance.now();
    deaths = [...deaths.filter((time) => now - time < deathWindowMs), now];
    if (deaths.length > maxDeaths) {
      phase = 'ending';
      const what = `${deaths.length} server processes ended within ${deathWindowMs} ms, the last one with ${how}; no more are started.`;
      onGivenUp(new ShortlistError('PROCESS_FAILED', what));
      return;
    }
    // Full jitter: processes that one thing ended together do not start together.
    const longestMs = Math.min(maxRestartDelayMs, restartDelayMs * 2 ** (deaths.length - 1));
    const restartMs = Math.round(options.random() * longestMs);
    onLost({ place: place.number, how, restartMs });
    place.restart = setTimeout(() => start(place), restartMs);
  }

  function tellAll(order: ProcessOrder): void {
    for (const { process } of places) process?.send(order, ignore);
  }

  places.forEach(start);
  const findBundle = (): ProcessBundle | undefined => places.find(({ isServing }) => isServing)?.bundle;
  return {
    serving,
    describe: () => findBundle()?.description,
    views: () => findBundle()?.views,
    reload: joinReloads(({ ifMoved }) => reloadAll(places, questions, ifMoved ? 'follow' : 'reload')),
    descriptions: () => listServing(places).map(({ bundle }) => bundle!.description),
    metrics: () => readAllMetrics(places, questions),
    stop: async () => {
      phase = 'ending';
      for (const { restart } of places) clearTimeout(restart);
      tellAll({ order: 'stop' });
      if (places.some(({ process }) => process !== undefined))
        await new Promise<void>((resolve) => (onAllEnded = resolve));
      if (unclean.length === 0) return;
      throw new ShortlistError('PROCESS_FAILED', 'Server processes did not end as they should.', {
        problems: unclean,
      });
    },
  };
}

/** Of several processes, what one does not answer because it ends is left out. */
async function readAllMetrics(places: readonly Place[], questions: Questions): Promise<MetricsSnapshot[]> {
  const living = listServing(places).map((place) => questions.ask(place.process!, 'metrics'));
  const answers = await Promise.allSettled(living);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

/** One after the other, so that no more than one holds two bundles; the first that refuses it is the last. */
async function reloadAll(
  places: readonly Place[],
  questions: Questions,
  question: 'reload' | 'follow',
): Promise<ServiceDescription> {
  let swapped: ProcessBundle | undefined;
  for (const place of listServing(places)) {
    if (place.process === undefined) continue;
    swapped = await questions.ask(place.process, question);
    place.bundle = swapped;
  }
  if (swapped !== undefined) return swapped.description;
  throw new ShortlistError('NOT_READY', 'No server process is up.');
}

/** Whether an order was sent is not asked: of a process that has ended its exit tells. */
function ignore(): void {}

function listServing(places: readonly Place[]): Place[] {
  return places.filter(({ isServing }) => isServing);
}

type Questions = ReturnType<typeof createQuestions>;

/** Questions to processes that wait for their answers. */
function createQuestions() {
  const open = new Map<number, Question>();
  let asked = 0;
  return {
    ask: <Q extends keyof ProcessAnswers>(process: ServerProcess, question: Q): Promise<ProcessAnswers[Q]> =>
      new Promise((resolve, reject) => {
        const id = ++asked;
        open.set(id, { process, resolve, reject });
        process.send({ order: 'answer', id, question }, ignore);
      }),
    settle: (report: Extract<ProcessReport, { id: number }>): void => {
      const question = open.get(report.id);
      open.delete(report.id);
      if (report.report === 'failed') question?.reject(unpackError(report.error));
      else question?.resolve(report.answer as never);
    },
    /** The process has ended and will answer nothing. */
    abandon: (process: ServerProcess, error: ShortlistError): void => {
      for (const [id, question] of open) {
        if (question.process !== process) continue;
        open.delete(id);
        question.reject(error);
      }
    },
  };
}

interface Question {
  readonly process: ServerProcess;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}
