import type { FeatureStore } from './feature-store.js';

/** The values of the users view, one user at a time. */
export interface UserRows {
  /**
   * One value per field of the view, finite.
   * @throws ShortlistError FEATURES_FAILED when the store cannot be asked
   */
  read(userId: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** @param nowSeconds Unix time, which time to live is judged by */
export function createUserRows(store: FeatureStore, nowSeconds: () => number): UserRows {
  const width = store.view.fields.length;
  return {
    read: async (userId) => {
      const rows = { values: new Float32Array(width), statuses: new Uint8Array(width) };
      await store.getMany([userId], rows, { now: nowSeconds() });
      return rows.values;
    },
    close: () => store.close(),
  };
}
