/** The table of one view, loaded. */
export interface FeatureLoad {
  readonly view: 'items' | 'users';
  readonly rows: number;
  /** What the table takes in memory. */
  readonly bytes: number;
  readonly seconds: number;
}

/** Where the values of a view that one request read came from. */
export interface FeatureRead {
  readonly view: 'items' | 'users';
  readonly present: number;
  readonly defaulted: number;
  readonly unknownEntity: number;
}

/** Is told what is loaded and read; it must not throw. */
export interface FeatureObserver {
  loaded(load: FeatureLoad): void;
  read(read: FeatureRead): void;
}
