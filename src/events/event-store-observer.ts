/** Is told what an event store does; nothing here may throw. */
export interface EventStoreObserver {
  /** One commit put so many events on the disk, in so many seconds. */
  committed(commit: { readonly events: number; readonly seconds: number }): void;
  /** What is in the store; undefined while it cannot be read. */
  measured(figures: EventStoreFigures | undefined): void;
  /** A store was begun where there was none. */
  begun(): void;
  /** Events cannot be kept, and why; undefined when they can be again. Told once for each change of the reason. */
  changed(failure: EventStoreFailure | undefined): void;
  /** What was written last is, as far as the store can say, not on a disk, and why; undefined when it is again. Told once for each change. */
  durabilityChanged?(loss: EventStoreFailure | undefined): void;
  /** Events are kept and do not get into histories, and why; undefined when they do again. Told once for each change. */
  historiesChanged?(failure: EventStoreFailure | undefined): void;
}

/** What is in an event store. */
export interface EventStoreFigures {
  readonly rows: number;
  /** Those that are in no parquet file yet. */
  readonly uncompactedRows: number;
  /** Of the disk, or of the memory of Redis. */
  readonly bytes: number;
  /** Since the oldest event that is in no parquet file was kept; 0 where there is none. */
  readonly oldestUncompactedSeconds: number;
  /** Of the uncompacted rows, those of each stream, where the store has streams. */
  readonly streams?: readonly number[] | undefined;
}

/** The reason why a store keeps nothing, and what to do. */
export interface EventStoreFailure {
  /** Goes on after a colon: `the disk is full`. */
  readonly reason: string;
  /** A sentence for whoever runs the server. */
  readonly advice: string;
}
