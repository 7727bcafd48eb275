/** Everything that one owner has opened, so that every way out closes all of it. */
export interface OpenedThings {
  /** Takes care of what was opened. @returns the same */
  add<T>(thing: T, close: (thing: T) => unknown): T;
  /**
   * Closes everything, the latest first. What fails to close, or is not closed when `patienceMs` are over, keeps nothing else from being
   * closed.
   */
  close(options: { patienceMs: number }): Promise<void>;
}

/** Starts with nothing opened. */
export function createOpenedThings(): OpenedThings {
  const closers: (() => unknown)[] = [];
  return {
    add: (thing, close) => {
      closers.push(() => close(thing));
      return thing;
    },
    close: async ({ patienceMs }) => {
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs)));
      const closing: Promise<unknown>[] = [];
      for (const close of closers.splice(0).toReversed()) {
        const closed = (async () => close())().catch(() => undefined);
        closing.push(closed);
        await Promise.race([closed, patience]);
      }
      await Promise.race([Promise.all(closing), patience]);
      clearTimeout(timer);
    },
  };
}
