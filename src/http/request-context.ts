import { AsyncLocalStorage } from 'node:async_hooks';

const requestIds = new AsyncLocalStorage<string>();

/** Runs what a request sets going, so that `findRequestId` knows it from there. */
export function runInRequest(requestId: string, run: () => void): void {
  requestIds.run(requestId, run);
}

/** The id of the request that set the running code going; undefined where none did. */
export function findRequestId(): string | undefined {
  return requestIds.getStore();
}
