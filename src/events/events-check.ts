/** What is in a store of events, as far as it can be read. */
export interface EventsCheck {
  /** The file, or the address of Redis. */
  readonly path: string;
  /** Of the file, or in the memory of Redis. */
  readonly bytes: number;
  /** Of the log of SQLite beside the file. */
  readonly logBytes?: number | undefined;
  /** Absent where they cannot be read. */
  readonly contents?: EventsContents | undefined;
  /** One sentence for each thing that is wrong; empty where all is whole and can be used. */
  readonly problems: readonly string[];
}

/** The events of a store. */
export interface EventsContents {
  readonly rows: number;
  readonly uncompactedRows: number;
  /** Ids that are known, those of removed events included; absent where that cannot be told. */
  readonly ids?: number | undefined;
  /** Times by the senders, ISO 8601; absent where there are no events. */
  readonly first?: string | undefined;
  readonly last?: string | undefined;
  /** By the day (UTC) that they were kept on, then by type. */
  readonly counts: readonly { readonly day: string; readonly type: string; readonly rows: number }[];
}
