import type { Bundle, InspectAnswer, InspectBody, ItemSearchAnswer } from './contract.js';
import { MOST_LISTED } from './search-words.js';
import { createObservable, type Observable } from './observable.js';

/** How it stands with the server. */
export type Connection =
  | { readonly kind: 'ready' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'busy'; readonly seconds: number; readonly detail: string }
  | { readonly kind: 'key'; readonly scope: string; readonly problem: 'none' | 'wrong' | 'scope' };

/** What the server refused, in its own words. */
export class Refusal extends Error {
  constructor(
    readonly title: string,
    detail: string,
    /** As docs/errors.md has it; empty where the answer names none. */
    readonly code = '',
  ) {
    super(detail);
  }
}

/** The calls of the page. Each waits for a server that is gone or busy, and for a key where one is asked for. */
export interface Api {
  readonly connection: Observable<Connection>;
  /** The versions before and after, once the bundle in service is another than it was. */
  readonly swapped: Observable<{ readonly from: string; readonly to: string } | undefined>;
  /** Gives the key to the calls that wait for it. It is kept in memory only. */
  useKey(key: string): void;
  readBundle(signal?: AbortSignal): Promise<Bundle>;
  readMetrics(signal?: AbortSignal): Promise<string>;
  /** One at a time, as the server has it: a later one waits for the earlier. */
  inspect(body: InspectBody, signal: AbortSignal): Promise<InspectAnswer>;
  searchItems(text: string, signal: AbortSignal): Promise<ItemSearchAnswer>;
}

const RETRY_MS = 2000;
const BUSY_SECONDS = 1;
/** How often a busy server is asked before its words are shown as they are. */
const MOST_TURNS = 60;
const PATIENCE_MS = 30_000;
const READY: Connection = { kind: 'ready' };

/** Creates the calls of the page. */
export function createApi(): Api {
  const connection = createObservable<Connection>(READY);
  const swapped = createObservable<{ from: string; to: string } | undefined>(undefined);
  let version: string | undefined;
  const keys = createKeyDesk(connection);
  let inspecting: Promise<unknown> = Promise.resolve();

  async function call(
    path: string,
    options: { body?: unknown; signal?: AbortSignal | undefined },
  ): Promise<Response> {
    const { body, signal } = options;
    for (let turn = 0; ; turn++) {
      const key = keys.get();
      const response = await send(path, body, signal, key);
      signal?.throwIfAborted();
      if (response === undefined) {
        connection.set({ kind: 'gone' });
        await pause(RETRY_MS, signal);
      } else if (response.status === 401 || response.status === 403) {
        const refusal = await readRefusal(response);
        if (response.status === 403 && !isAboutScope(response)) throw refusal;
        await keys.askInPlaceOf(key, response);
        signal?.throwIfAborted();
      } else if (response.status === 503) {
        const refusal = await readRefusal(response);
        // A release that nobody tries is not ready either, and will not be.
        const isPassing = refusal.code !== 'NOT_READY' || !asksForRelease(body);
        if (!isPassing || turn >= MOST_TURNS) throw refusal;
        const seconds = Number(response.headers.get('retry-after')) || BUSY_SECONDS;
        connection.set({ kind: 'busy', seconds, detail: refusal.message });
        await pause(1000 * seconds, signal);
      } else {
        if (connection.get().kind !== 'key') connection.set(READY);
        if (!response.ok) throw await readRefusal(response);
        return response;
      }
    }
  }

  function noteVersion(seen: string): void {
    if (version !== undefined && version !== seen) swapped.set({ from: version, to: seen });
    version = seen;
  }

  return {
    connection,
    swapped,
    useKey: keys.use,
    readBundle: async (signal) => {
      const bundle = (await (await call('bundle', { signal })).json()) as Bundle;
      noteVersion(bundle.version);
      return bundle;
    },
    readMetrics: async (signal) => (await call('metrics', { signal })).text(),
    inspect: (body, signal) => {
      const asked = inspecting.then(async () => {
        signal.throwIfAborted();
        const answer = (await (await call('inspect', { body, signal })).json()) as InspectAnswer;
        if (answer.release === 'stable') noteVersion(answer.bundle);
        return answer;
      });
      inspecting = asked.catch(() => undefined);
      return asked;
    },
    searchItems: async (text, signal) => {
      const query = new URLSearchParams({ search: text, limit: String(MOST_LISTED + 1) });
      return (await (await call(`items?${query}`, { signal })).json()) as ItemSearchAnswer;
    },
  };
}

/** Has the key, in memory only, and asks for another. */
function createKeyDesk(connection: Observable<Connection>) {
  let key: string | undefined;
  let wanted: PromiseWithResolvers<void> | undefined;
  return {
    get: () => key,
    use: (given: string): void => {
      key = given;
      const waiting = wanted;
      wanted = undefined;
      connection.set(READY);
      waiting?.resolve();
    },
    /** Waits for a key that is not the one that was tried, which may be there by now. */
    askInPlaceOf: async (tried: string | undefined, { status, headers }: Response): Promise<void> => {
      if (tried !== key) return;
      const [, scope = 'admin'] = /scope="([^"]+)"/.exec(headers.get('www-authenticate') ?? '') ?? [];
      const ofTried = status === 403 ? 'scope' : 'wrong';
      connection.set({ kind: 'key', scope, problem: tried === undefined ? 'none' : ofTried });
      wanted ??= Promise.withResolvers<void>();
      await wanted.promise;
    },
  };
}

/** @returns the answer; undefined where nobody answers */
async function send(
  path: string,
  body: unknown,
  signal: AbortSignal | undefined,
  key: string | undefined,
): Promise<Response | undefined> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await fetch(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(key !== undefined && { 'x-api-key': key }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
      cache: 'no-store',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
    });
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof TypeError || patience.aborted) return undefined;
    throw error;
  }
}

function isAboutScope(response: Response): boolean {
  return response.headers.get('www-authenticate')?.includes('insufficient_scope') ?? false;
}

function asksForRelease(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'release' in body;
}

async function readRefusal(response: Response): Promise<Refusal> {
  const text = await response.text();
  try {
    const { title, detail, code } = JSON.parse(text) as { title?: string; detail?: string; code?: string };
    return new Refusal(title ?? `Status ${response.status}`, detail ?? '', code);
  } catch {
    return new Refusal(`Status ${response.status}`, text.slice(0, 200));
  }
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
