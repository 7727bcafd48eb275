import type { ForgottenList } from '../../src/domain/forgetting.js';

/** A list of forgotten users without any. */
export const NOBODY_FORGOTTEN: ForgottenList = {
  find: () => undefined,
  size: () => 0,
  entries: () => [],
  latest: () => undefined,
};
