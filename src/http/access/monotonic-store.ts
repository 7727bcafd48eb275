import { LRUCache } from 'lru-cache';

interface Window {
  requests: number;
  readonly beganMs: number;
}

/** What the plugin is told of a client. */
type Told = (error: Error | null, standing?: { current: number; ttl: number }) => void;

/**
 * The store of rate limits of this process for `@fastify/rate-limit`, by a clock that nobody sets: the plugin's own goes by the wall
 * clock, and one that is set back by an hour refuses clients for an hour.
 */
export class MonotonicStore {
  readonly #windows: LRUCache<string, Window>;

  /** @param options.cache clients that are remembered; the one that asked least recently is forgotten first */
  constructor({ cache }: { cache: number }) {
    this.#windows = new LRUCache({ max: cache });
  }

  /** Counts a request, and tells how many there were in the client's window and how many milliseconds of it are left. */
  incr(client: string, tell: Told, windowMs: number): void {
    const now = performance.now();
    let window = this.#windows.get(client);
    if (window === undefined || now - window.beganMs >= windowMs) {
      window = { requests: 0, beganMs: now };
      this.#windows.set(client, window);
    }
    window.requests++;
    tell(null, { current: window.requests, ttl: windowMs - (now - window.beganMs) });
  }

  /** Routes share the limit of their listener. */
  child(): this {
    return this;
  }
}
