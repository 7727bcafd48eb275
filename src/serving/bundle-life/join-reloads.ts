/** How a bundle is reloaded. */
export interface ReloadOptions {
  /** Leaves what is open already as it is. */
  readonly ifMoved?: boolean;
}

/**
 * Runs reloads one after the other. Whoever asks while one runs has the next one, with all who ask until it begins: the one that runs may
 * have read the channel before it moved.
 */
export function joinReloads<T>(
  reload: (options: Required<ReloadOptions>) => Promise<T>,
): (options?: ReloadOptions) => Promise<T> {
  let running: Promise<unknown> | undefined;
  let next: { promise: Promise<T>; ifMoved: boolean } | undefined;

  function start(ifMoved: boolean): Promise<T> {
    const started = reload({ ifMoved });
    const ended = started
      .catch(() => undefined)
      .finally(() => {
        if (running === ended) running = undefined;
      });
    running = ended;
    return started;
  }

  return ({ ifMoved = false } = {}) => {
    if (running === undefined) return start(ifMoved);
    if (next === undefined) {
      const queued = { ifMoved, promise: undefined as unknown as Promise<T> };
      queued.promise = running.then(() => {
        next = undefined;
        return start(queued.ifMoved);
      });
      next = queued;
    }
    // Who wants it opened anew has it opened anew for all.
    next.ifMoved &&= ifMoved;
    return next.promise;
  };
}
