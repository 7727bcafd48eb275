import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ShortlistError } from '../../../domain/errors.js';
import type { Histories } from '../../../domain/history.js';
import type { ItemLinks } from '../../../domain/item-links.js';
import { type PackedError, unpackError } from '../../../domain/packed-error.js';
import { trainEase, type EaseOptions } from './ease.js';
import { findItemNeighbours, type ItemNeighboursOptions } from './item-neighbours.js';
import type { ProgressReporter, ProgressStep } from '../../progress/progress.js';
import { findFollowers, type FollowerOptions } from './find-followers.js';

/** Options of each fit of links between items. */
export interface LinkFitOptions {
  readonly neighbours: ItemNeighboursOptions;
  readonly ease: EaseOptions;
  readonly followers: FollowerOptions;
}

/** By name, so that a thread can be told which. */
export const LINK_FITS: {
  readonly [F in keyof LinkFitOptions]: (
    histories: Histories,
    options: LinkFitOptions[F],
  ) => ItemLinks | Promise<ItemLinks>;
} = { neighbours: findItemNeighbours, ease: trainEase, followers: findFollowers };

/** One fit. */
export interface LinkFitTask<F extends keyof LinkFitOptions = keyof LinkFitOptions> {
  readonly fit: F;
  readonly histories: Histories;
  /** Without `progress`: functions cannot be sent. */
  readonly options: LinkFitOptions[F];
}

/** The task of a fitting thread, and how many threads it may have beside it. */
export type SentFitTask = LinkFitTask & { readonly threads: number };

/** A message of a fitting thread: its progress, and at the end the links or the error. */
export type LinkFitReply =
  | { readonly start: string; readonly total: number }
  | { readonly advance: number }
  | { readonly finish: string }
  | { readonly links: ItemLinks }
  | { readonly error: PackedError };

/**
 * Fits links between items: with `threads` 1 here, else in a thread of its own, with the same outcome bit for bit.
 * @throws ShortlistError as the fit does, or TRAINING_FAILED when the thread fails
 */
export async function fitLinks<F extends keyof LinkFitOptions>(
  task: LinkFitTask<F>,
  options: { threads: number; progress: ProgressReporter },
): Promise<ItemLinks> {
  return options.threads === 1 ? fitHere(task, options) : fitInThread(task, options);
}

/** The same in this thread. */
export async function fitHere<F extends keyof LinkFitOptions>(
  { fit, histories, options }: LinkFitTask<F>,
  { threads, progress }: { threads: number; progress: ProgressReporter },
): Promise<ItemLinks> {
  return LINK_FITS[fit](histories, { ...options, threads, progress });
}

async function fitInThread(
  task: LinkFitTask,
  { threads, progress }: { threads: number; progress: ProgressReporter },
): Promise<ItemLinks> {
  // No fit reads the times and values, and what is sent is copied.
  const histories = { ...task.histories, timestamps: new Float64Array(0), values: new Float32Array(0) };
  const workerData: SentFitTask = { ...task, histories, threads };
  const worker = new Worker(new URL('./link-fitting-worker.js', import.meta.url), { workerData });
  try {
    return await readReplies(worker, progress);
  } catch (error) {
    if (error instanceof ShortlistError) throw error;
    const { message } = error as Error;
    throw new ShortlistError('TRAINING_FAILED', `The thread of ${task.fit} failed: ${message}`, {
      cause: error,
    });
  }
}

async function readReplies(worker: Worker, progress: ProgressReporter): Promise<ItemLinks> {
  let step: ProgressStep | undefined;
  for await (const [reply] of on(worker, 'message', { close: ['exit'] }) as AsyncIterable<[LinkFitReply]>) {
    if ('links' in reply) return reply.links;
    if ('start' in reply) step = progress.start(reply.start, reply.total);
    else if ('advance' in reply) step!.advance(reply.advance);
    else if ('finish' in reply) step!.finish(reply.finish);
    else throw unpackError(reply.error);
  }
  throw new Error('it ended without an answer');
}
