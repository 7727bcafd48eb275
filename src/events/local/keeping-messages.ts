import type { PackedError } from '../../domain/packed-error.js';
import type { Insertion } from '../commit-queue.js';
import type { EventStoreFigures } from '../event-store-observer.js';
import type { StorageFault } from './storage-fault.js';

/** What a keeping thread is started with. */
export interface KeepingThreadData {
  readonly folder: string;
}

/** What a keeping thread is told: requests to commit together, each a JSON array of `UserEvent`; to tell its figures; to end. */
export type KeepingMessage = { readonly requests: readonly string[] } | 'measure' | 'close';

/** What it answers to requests. */
export type CommitReply =
  | { readonly insertions: readonly Insertion[]; readonly seconds: number }
  | { readonly fault: StorageFault }
  | { readonly failed: PackedError };

/** What it says: first how the file was opened, then an answer to each message but the last one. */
export type KeepingReply =
  | { readonly opened: OpenedFile | { readonly fault: StorageFault } }
  | { readonly commit: CommitReply; readonly opened?: OpenedFile | undefined }
  | { readonly figures: EventStoreFigures | undefined };

/** A file that was opened, or begun. */
export interface OpenedFile {
  readonly isNew: boolean;
}
