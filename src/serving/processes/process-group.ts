import { ShortlistError } from '../../domain/errors.js';
import { unpackError } from '../../domain/packed-error.js';
import type { Settings } from '../../config/settings.js';
import type { MetricsSnapshot } from '../../observability/metrics/metrics.js';
import { joinReloads } from '../bundle-life/join-reloads.js';
import type { ProcessAnswers, ProcessBundle, ProcessOrder, ProcessReport } from './process-messages.js';
import { createQuarantine, type QuarantineChange } from '../compute/quarantine.js';
import type { BundleAdmin, ServiceDescription } from '../bundle-admin.js';

/** A server process as `node:cluster` gives it. */
export interface ServerProcess {
  /** @param onSent is told whether it was sent: a process that has ended takes no more */
  send(order: ProcessOrder, onSent: () => void): unknown;
  on(event: 'message', listener: (report: ProcessReport) => void): unknown;
  on(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): unknown;
  /** Ends it at once, whatever it does. */
  kill(signal: 'SIGKILL'): unknown;
}

export interface ProcessGroupOptions extends Omit<Settings['supervisor'], 'processes'> {
  /** Processes, 1 or more. */
  readonly processes: number;
  /** How long a request that ended a process is kept from the others the first time; 0 for not at all. */
  readonly quarantineMs: number;
  /** Starts the process of a place, from 1. */
  readonly start: (place: number) => ServerProcess;
  /** From 0 to below 1; of the time before a process is started anew. */
  readonly random: () => number;
  /** Is told of each process that ended by itself, or was killed because it answered nothing. */
  readonly onLost: (end: LostProcess) => void;
  /** Is told when too many did: none is started any more. */
  readonly onGivenUp: (error: ShortlistError) => void;
}

export interface LostProcess {
  readonly place: number;
  /** How it ended: `exit code 1`, `SIGKILL`. */
  readonly how: string;
  /** Whether it was killed because it answered nothing. */
  readonly wasSilent: boolean;
  /** What it said of why it cannot serve, when it did. */
  readonly err?: unknown;
  /** Until another one is started in its place. */
  readonly restartMs: number;
}

/** Server processes that are kept running, with what an admin asks of all of them. */
export interface ProcessGroup extends Pick<BundleAdmin, 'describe' | 'views' | 'reload'> {
  /**
   * The address that all of them listen at, once all do.
   * @throws ShortlistError why one cannot serve; PROCESS_FAILED when one ends without saying so
   */
  readonly serving: Promise<string>;
  /** What each process has open; one that was restarted may have another bundle than the rest. */
  descriptions(): ServiceDescription[];
  /** The metrics of every process that serves and answers within `answerMs`. */
  metrics(): Promise<MetricsSnapshot[]>;
  /**
   * Lets every process drain and end.
   * @throws ShortlistError PROCESS_FAILED naming those that did not end with 0
   */
  stop(): Promise<void>;
  /** Kills every process at once; none is started any more. */
  kill(): void;
}

/** What is known of the process of a place. */
interface Standing {
  readonly process: ServerProcess | undefined;
  bundle: ProcessBundle | undefined;
  isServing: boolean;
  /** Whether it was asked for a sign of life that it has not given yet. */
  isAsked: boolean;
  /** How many looks in a row found it without a sign of life. */
  missed: number;
  /** Killed because of that. */
  wasSilent: boolean;
  /** Why it cannot serve, when it said so. */
  refusal: unknown;
  /** Requests that it computes longer than anybody waits. */
  readonly suspects: Set<string>;
}

/** One of the places that processes take. */
interface Place extends Omit<Standing, 'process'> {
  readonly number: number;
  process: ServerProcess | undefined;
  restart: NodeJS.Timeout | undefined;
}

/** Looks at a process within the silence that it is allowed: what holds up the supervisor itself costs nobody more than one of them. */
const LOOKS = 4;

/** How much longer a process may be silent while it starts: it compiles the program and reads its bundle. */
const STARTING_PATIENCE = 30;

function beginWith(process: ServerProcess | undefined): Standing {
  return {
    process,
    bundle: undefined,
    isServing: false,
    isAsked: false,
    missed: 0,
    wasSilent: false,
    refusal: undefined,
    suspects: new Set(),
  };
}

/**
 * Starts server processes and keeps them running. The first ones listen when the bundles of all are open; one that takes the place of
 * another listens when its own is.
 */
export function createProcessGroup(options: ProcessGroupOptions): ProcessGroup {
  const places = createPlaces(options.processes);
  const questions = createQuestions();
  const { quarantine, spread } = createSpreading(places, options);
  const countDeath = createDeathCount(options);
  const looking = setInterval(() => places.forEach(lookAt), options.silenceMs / LOOKS).unref();
  const unclean: string[] = [];
  let phase: 'starting' | 'serving' | 'ending' = 'starting';
  let onAllEnded = (): void => undefined;
  let settle: { resolve: (url: string) => void; reject: (error: unknown) => void };
  const serving = new Promise<string>((resolve, reject) => (settle = { resolve, reject }));

  function start(place: Place): void {
    const started = options.start(place.number);
    Object.assign(place, beginWith(started));
    started.on('message', (report) => hear(place, report));
    started.on('exit', (code, signal) => bury(place, { process: started, code, signal }));
  }

  function hear(place: Place, report: ProcessReport): void {
    Object.assign(place, { isAsked: false, missed: 0 });
    if ('bundle' in report) place.bundle = report.bundle;
    if (report.report === 'alive') return;
    if (report.report === 'quarantine') return spread(place, report.change);
    if (report.report === 'refused') {
      place.refusal = unpackError(report.error);
    } else if (report.report === 'open') {
      for (const change of quarantine.list()) place.process?.send({ order: 'quarantine', change }, ignore);
      if (phase === 'serving') place.process?.send({ order: 'listen' }, ignore);
      else if (places.every(({ bundle }) => bundle !== undefined)) tellAll(places, { order: 'listen' });
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
    const { bundle, wasSilent, refusal, suspects } = place;
    if (suspects.size > 0) spread(place, { kind: 'hold', keys: [...suspects] });
    Object.assign(place, beginWith(undefined));
    const error = new ShortlistError('PROCESS_FAILED', `Server process ${place.number} has ended (${how}).`);
    questions.abandon(end.process, error);
    if (phase === 'serving') return replace(place, { how, wasSilent, err: refusal });
    if (end.code !== 0 && !(phase === 'ending' && bundle === undefined))
      unclean.push(`process ${place.number}: ${how}`);
    if (phase === 'starting') settle.reject(refusal ?? error);
    if (places.every(({ process }) => process === undefined)) onAllEnded();
  }

  function replace(place: Place, end: Pick<LostProcess, 'how' | 'wasSilent' | 'err'>): void {
    const { deaths, restartMs } = countDeath();
    if (restartMs === undefined) {
      phase = 'ending';
      const what = `${deaths} server processes ended within ${options.deathWindowMs} ms, the last one with ${end.how}; no more are started.`;
      options.onGivenUp(new ShortlistError('PROCESS_FAILED', what));
      return;
    }
    options.onLost({ place: place.number, ...end, restartMs });
    place.restart = setTimeout(() => start(place), restartMs);
  }

  function stopStarting(): void {
    phase = 'ending';
    for (const { restart } of places) clearTimeout(restart);
  }

  places.forEach(start);
  return {
    serving,
    describe: () => findBundle(places)?.description,
    views: () => findBundle(places)?.views,
    reload: createReload(places, questions, options),
    descriptions: () => listServing(places).map(({ bundle }) => bundle!.description),
    metrics: () => readAllMetrics(places, questions, options),
    kill: () => {
      stopStarting();
      killAll(places);
    },
    stop: async () => {
      stopStarting();
      tellToStop(places);
      if (places.some(({ process }) => process !== undefined))
        await new Promise<void>((resolve) => (onAllEnded = resolve));
      clearInterval(looking);
      refuseUnclean(unclean);
    },
  };
}

function refuseUnclean(problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new ShortlistError('PROCESS_FAILED', 'Server processes did not end as they should.', { problems });
}

function killAll(places: readonly Place[]): void {
  for (const { process } of places) process?.kill('SIGKILL');
}

function tellToStop(places: readonly Place[]): void {
  // One that has nothing open yet has nothing to drain, and may not listen for a long time.
  for (const { process, bundle } of places) if (bundle === undefined) process?.kill('SIGKILL');
  tellAll(places, { order: 'stop' });
}

function createPlaces(count: number): Place[] {
  return Array.from({ length: count }, (_, index) => ({
    ...beginWith(undefined),
    number: index + 1,
    restart: undefined,
  }));
}

/** A process that is stopped or whose event loop hangs says nothing: it is killed, and another one takes its place. */
function lookAt(place: Place): void {
  const { process } = place;
  if (process === undefined) return;
  if (place.isAsked) place.missed++;
  if (place.missed >= LOOKS * (place.bundle === undefined ? STARTING_PATIENCE : 1)) {
    place.wasSilent = true;
    process.kill('SIGKILL');
  } else if (!place.isAsked) {
    place.isAsked = true;
    process.send({ order: 'ping' }, ignore);
  }
}

/** What one process met the others are not to meet. */
function createSpreading(places: readonly Place[], { quarantineMs }: ProcessGroupOptions) {
  const quarantine = createQuarantine({ lifeMs: quarantineMs });
  const spread = (origin: Place, change: QuarantineChange): void => {
    quarantine.learn(change);
    for (const key of change.keys) {
      if (change.kind === 'suspect') origin.suspects.add(key);
      else origin.suspects.delete(key);
    }
    const others = places.filter((place) => place !== origin && place.missed === 0);
    for (const { process } of others) process?.send({ order: 'quarantine', change }, ignore);
  };
  return { quarantine, spread };
}

/** Counts processes that end by themselves; says how long to wait before another one is started, or that too many have ended. */
function createDeathCount(options: ProcessGroupOptions) {
  const { maxDeaths, deathWindowMs, restartDelayMs, maxRestartDelayMs, random } = options;
  /** On the clock of `performance.now()`. */
  let deaths: number[] = [];
  return (): { deaths: number; restartMs: number | undefined } => {
    const now = performance.now();
    deaths = [...deaths.filter((time) => now - time < deathWindowMs), now];
    if (deaths.length > maxDeaths) return { deaths: deaths.length, restartMs: undefined };
    // Full jitter: processes that one thing ended together do not start together.
    const longestMs = Math.min(maxRestartDelayMs, restartDelayMs * 2 ** (deaths.length - 1));
    return { deaths: deaths.length, restartMs: Math.round(random() * longestMs) };
  };
}

function tellAll(places: readonly Place[], order: ProcessOrder): void {
  for (const { process } of places) process?.send(order, ignore);
}

function findBundle(places: readonly Place[]): ProcessBundle | undefined {
  return places.find(({ isServing }) => isServing)?.bundle;
}

/** What a process does not answer, because it ends or is silent, is left out. */
async function readAllMetrics(
  places: readonly Place[],
  questions: Questions,
  { answerMs }: Pick<ProcessGroupOptions, 'answerMs'>,
): Promise<MetricsSnapshot[]> {
  // One that is silent already is not asked: what it is sent would pile up until it is killed.
  const asked = listServing(places).filter(({ missed }) => missed === 0);
  const answers = await Promise.allSettled(
    asked.map(({ process }) => questions.ask(process!, 'metrics', { limitMs: answerMs })),
  );
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

type Limits = Pick<ProcessGroupOptions, 'silenceMs'>;

function createReload(
  places: readonly Place[],
  questions: Questions,
  limits: Limits,
): ProcessGroup['reload'] {
  return joinReloads(({ ifMoved }) =>
    reloadAll(places, questions, { ...limits, question: ifMoved ? 'follow' : 'reload' }),
  );
}

/**
 * One after the other, so that no more than one holds two bundles; the first that refuses it is the last. A process that is silent is left
 * out: it is killed, and the one that takes its place opens what the channel points at by then.
 */
async function reloadAll(
  places: readonly Place[],
  questions: Questions,
  { question, silenceMs }: Limits & { question: 'reload' | 'follow' },
): Promise<ServiceDescription> {
  let swapped: ProcessBundle | undefined;
  for (const place of listServing(places)) {
    const { process } = place;
    if (process === undefined || !(await isAlive(process, questions, silenceMs))) continue;
    // As long as it takes: it is looked at meanwhile, and a process that falls silent is killed.
    swapped = await questions.ask(process, question);
    place.bundle = swapped;
  }
  if (swapped !== undefined) return swapped.description;
  throw new ShortlistError('NOT_READY', 'No server process is up.');
}

function isAlive(process: ServerProcess, questions: Questions, limitMs: number): Promise<boolean> {
  return questions.ask(process, 'alive', { limitMs }).catch(() => false);
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
    /** @throws ShortlistError PROCESS_FAILED when the process ends, or has not answered within the limit */
    ask: <Q extends keyof ProcessAnswers>(
      process: ServerProcess,
      question: Q,
      { limitMs }: { limitMs?: number } = {},
    ): Promise<ProcessAnswers[Q]> =>
      new Promise((resolve, reject) => {
        const id = ++asked;
        const giveUp = (): void => {
          open.delete(id);
          reject(
            new ShortlistError('PROCESS_FAILED', `A server process has not answered within ${limitMs} ms.`),
          );
        };
        const timer = limitMs === undefined ? undefined : setTimeout(giveUp, limitMs);
        open.set(id, { process, timer, resolve, reject });
        process.send({ order: 'answer', id, question }, ignore);
      }),
    settle: (report: Extract<ProcessReport, { id: number }>): void => {
      const question = open.get(report.id);
      open.delete(report.id);
      clearTimeout(question?.timer);
      if (report.report === 'failed') question?.reject(unpackError(report.error));
      else question?.resolve(report.answer as never);
    },
    /** The process has ended and will answer nothing. */
    abandon: (process: ServerProcess, error: ShortlistError): void => {
      for (const [id, question] of open) {
        if (question.process !== process) continue;
        open.delete(id);
        clearTimeout(question.timer);
        question.reject(error);
      }
    },
  };
}

interface Question {
  readonly process: ServerProcess;
  readonly timer: NodeJS.Timeout | undefined;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}
