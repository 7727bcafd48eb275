/** The table of one view, loaded. */
export interface FeatureLoad {
  /** Its name. */
  readonly view: string;
  readonly rows: number;
  /** What the table takes in memory. */
  readonly bytes: number;
  readonly seconds: number;
  /** Unix seconds of its newest row; absent when it has none. */
  readonly newestEventTime?: number | undefined;
}

/** Counts of the values of a view that one request read, by status. */
export interface FeatureRead {
  /** Its name. */
  readonly view: string;
  readonly present: number;
  readonly defaulted: number;
  readonly stale: number;
  readonly unknownEntity: number;
}

/** Is told what is loaded and read; it must not throw. */
export interface FeatureObserver {
  loaded(load: FeatureLoad): void;
  read(read: FeatureRead): void;
}
