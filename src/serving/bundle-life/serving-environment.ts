import type { Variables } from '../../config/load-settings.js';

/**
 * What the C library gives out from this size on it gives back when it is freed. By itself it raises this to the largest block that
 * was ever freed, and what a swapped-out bundle took stays with the process.
 */
const MALLOC_MMAP_THRESHOLD_ = '1048576';

/**
 * Megabytes for what has just been made. With the 16 that Node takes by itself, a process that answers tens of thousands of requests a
 * second from its cache spends a quarter of its processor time on collecting (docs/performance.md).
 */
const SEMI_SPACE = '--max-semi-space-size=32';

/**
 * The environment for a process that serves, before it starts: neither can be set from within. What `env` has of it counts, so that
 * whoever starts the process may choose otherwise. The image sets the same.
 */
export function createServingEnvironment(env: Variables): Variables {
  return {
    MALLOC_MMAP_THRESHOLD_,
    ...env,
    // Of an option that is given twice Node takes the last.
    NODE_OPTIONS: [SEMI_SPACE, env['NODE_OPTIONS']].filter(Boolean).join(' '),
  };
}
