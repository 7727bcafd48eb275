import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { OverridesInForce } from '../../rules/overrides.js';
import { unpackError } from '../../domain/packed-error.js';
import type { MetricsSnapshot } from '../../observability/metrics/metrics.js';
import type { BundleAdmin, ServiceDescription } from '../bundle-admin.js';
import { joinReloads } from '../bundle-life/join-reloads.js';
import { createQuarantine, type QuarantineChange } from '../compute/quarantine.js';
import type { ProcessBundle, ProcessOrder, ProcessReport } from './process-messages.js';
import { createProcessQuestions, type ProcessQuestions } from './process-questions.js';
import { createProcessRestarts, type RestartOptions } from './process-restarts.js';
import { sendOrder, type ServerProcess } from './server-process.js';

/** What a group runs, and how it treats processes that are silent or end. */
export interface ProcessGroupOptions extends Omit<Settings['supervisor'], 'processes'>, RestartOptions {
  /** Processes, 1 or more. */
  readonly processes: number;
  /** How long a request that ended a process is kept from the others the first time; 0 for not at all. */
  readonly quarantineMs: number;
  /** A process that opens is told what is in force; without it, it goes by what it reads. */
  readonly overrides?: OverridesInForce | undefined;
  /** Starts the process of a place, from 1. */
  readonly start: (place: number) => ServerProcess;
}

/** Server processes that are kept running, with what an admin asks of all of them. */
export interface ProcessGroup extends Pick<
  BundleAdmin,
  'describe' | 'views' | 'reload' | 'checkOverrides' | 'inspect' | 'findItems'
> {
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
}

/** How the process of a place ended. */
interface ProcessEnd {
  readonly process: ServerProcess;
  readonly code: number | null;
  readonly signal: string | null;
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
  const questions = createProcessQuestions();
  const { spread, teach } = createSpreading(places, options);
  const looking = setInterval(() => places.forEach(lookAt), options.silenceMs / LOOKS).unref();
  const endings = createEndings(places);
  let settle: { resolve: (url: string) => void; reject: (error: unknown) => void };
  const serving = new Promise<string>((resolve, reject) => (settle = { resolve, reject }));
  let phase: 'starting' | 'serving' | 'ending' = 'starting';
  const restarts = createProcessRestarts({
    ...options,
    start: (place) => start(places[place - 1]!),
    onGivenUp: (error) => {
      phase = 'ending';
      options.onGivenUp(error);
    },
  });

  function start(place: Place): void {
    const started = options.start(place.number);
    Object.assign(place, beginWith(started));
    started.on('message', (report) => hear(place, report));
    started.on('exit', (code, signal) => bury(place, { process: started, code, signal }));
  }

  function hear(place: Place, report: ProcessReport): void {
    note(place, report);
    if (report.report === 'quarantine') {
      spread(place, report.change);
    } else if (report.report === 'open') {
      teach(place);
      tellOverrides(place, options);
      if (phase === 'serving') sendOrder(place.process, { order: 'listen' });
      else if (places.every(({ bundle }) => bundle !== undefined)) tellAll(places, { order: 'listen' });
    } else if (report.report === 'serving') {
      if (phase !== 'starting' || !places.every(({ isServing }) => isServing)) return;
      phase = 'serving';
      settle.resolve(report.url);
    } else if ('id' in report) {
      questions.settle(report);
    }
  }

  function bury(place: Place, end: ProcessEnd): void {
    const how = end.signal ?? `exit code ${end.code}`;
    const { number, bundle, wasSilent, refusal, suspects } = place;
    if (suspects.size > 0) spread(place, { kind: 'hold', keys: [...suspects] });
    Object.assign(place, beginWith(undefined));
    const error = new ShortlistError('PROCESS_FAILED', `Server process ${number} has ended (${how}).`);
    questions.abandon(end.process, error);
    if (phase === 'serving') return restarts.replace({ place: number, how, wasSilent, err: refusal });
    const isClean = end.code === 0 || (phase === 'ending' && bundle === undefined);
    if (phase === 'starting') settle.reject(refusal ?? error);
    endings.add(isClean ? undefined : `process ${number}: ${how}`);
  }

  function stopStarting(): void {
    phase = 'ending';
    restarts.cancel();
  }

  places.forEach(start);
  return {
    serving,
    ...createGroupAdmin(places, questions, options),
    kill: () => {
      stopStarting();
      killAll(places);
    },
    stop: async () => {
      stopStarting();
      tellToStop(places);
      await endings.wait().finally(() => clearInterval(looking));
    },
  };
}

/** Keeps how processes end that are not replaced, for who waits until all have. */
function createEndings(places: readonly Place[]) {
  const problems: string[] = [];
  const hasProcess = (): boolean => places.some(({ process }) => process !== undefined);
  let onAllEnded = (): void => undefined;
  return {
    /** A process has ended; with what to say of it when it did not as it should. */
    add: (problem: string | undefined): void => {
      if (problem !== undefined) problems.push(problem);
      if (!hasProcess()) onAllEnded();
    },
    /** @throws ShortlistError PROCESS_FAILED when all have ended and some not as they should */
    wait: async (): Promise<void> => {
      if (hasProcess()) await new Promise<void>((resolve) => (onAllEnded = resolve));
      if (problems.length === 0) return;
      throw new ShortlistError('PROCESS_FAILED', 'Server processes did not end as they should.', {
        problems,
      });
    },
  };
}

function tellOverrides({ process }: Place, { overrides }: ProcessGroupOptions): void {
  if (overrides !== undefined) sendOrder(process, { order: 'overrides', overrides: overrides.current() });
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
  }));
}

/** Keeps what a report says of the process of a place; whatever it is, it is a sign of life. */
function note(place: Place, report: ProcessReport): void {
  Object.assign(place, { isAsked: false, missed: 0 });
  if ('bundle' in report) place.bundle = report.bundle;
  if (report.report === 'refused') place.refusal = unpackError(report.error);
  if (report.report === 'serving') place.isServing = true;
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
    sendOrder(process, { order: 'ping' });
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
    for (const { process } of others) sendOrder(process, { order: 'quarantine', change });
  };
  /** Who opens now has to learn what the others met before. */
  const teach = ({ process }: Place): void => {
    for (const change of quarantine.list()) sendOrder(process, { order: 'quarantine', change });
  };
  return { spread, teach };
}

function tellAll(places: readonly Place[], order: ProcessOrder): void {
  for (const { process } of places) sendOrder(process, order);
}

/** What an admin asks of all processes together. */
function createGroupAdmin(
  places: readonly Place[],
  questions: ProcessQuestions,
  limits: Pick<ProcessGroupOptions, 'silenceMs' | 'answerMs'>,
): Omit<ProcessGroup, 'serving' | 'stop' | 'kill'> {
  const findBundle = (): ProcessBundle | undefined => listServing(places)[0]?.bundle;
  return {
    describe: () => findBundle()?.description,
    views: () => findBundle()?.views,
    reload: joinReloads(({ ifMoved }) =>
      reloadAll(places, questions, { ...limits, question: ifMoved ? 'follow' : 'reload' }),
    ),
    checkOverrides: async (about) =>
      questions.ask(findAnswering(places), 'overrides', { limitMs: limits.silenceMs, about }),
    // As long as it takes: it has a deadline of its own, after the thread for it is open.
    inspect: async (about) => questions.ask(findAnswering(places), 'inspect', { about }),
    findItems: async (about) =>
      questions.ask(findAnswering(places), 'items', { limitMs: limits.silenceMs, about }),
    descriptions: () => listServing(places).map(({ bundle }) => bundle!.description),
    metrics: () => readAllMetrics(places, questions, limits),
  };
}

/** @throws ShortlistError NOT_READY */
function findAnswering(places: readonly Place[]): ServerProcess {
  const answering = listServing(places).find(({ missed }) => missed === 0);
  if (answering === undefined) throw new ShortlistError('NOT_READY', 'No server process is up.');
  return answering.process!;
}

/** What a process does not answer, because it ends or is silent, is left out. */
async function readAllMetrics(
  places: readonly Place[],
  questions: ProcessQuestions,
  { answerMs }: Pick<ProcessGroupOptions, 'answerMs'>,
): Promise<MetricsSnapshot[]> {
  // One that is silent already is not asked: what it is sent would pile up until it is killed.
  const asked = listServing(places).filter(({ missed }) => missed === 0);
  const answers = await Promise.allSettled(
    asked.map(({ process }) => questions.ask(process!, 'metrics', { limitMs: answerMs })),
  );
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

/**
 * One after the other, so that no more than one holds two bundles; the first that refuses it is the last. A process that is silent is left
 * out: it is killed, and the one that takes its place opens what the channel points at by then.
 */
async function reloadAll(
  places: readonly Place[],
  questions: ProcessQuestions,
  { question, silenceMs }: { question: 'reload' | 'follow'; silenceMs: number },
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

function isAlive(process: ServerProcess, questions: ProcessQuestions, limitMs: number): Promise<boolean> {
  return questions.ask(process, 'alive', { limitMs }).catch(() => false);
}

function listServing(places: readonly Place[]): Place[] {
  return places.filter(({ isServing }) => isServing);
}
