import type { ProcessOrder, ProcessReport } from './process-messages.js';

/** A server process as `node:cluster` gives it. */
export interface ServerProcess {
  /** @param onSent is told whether it was sent: a process that has ended takes no more */
  send(order: ProcessOrder, onSent: () => void): unknown;
  on(event: 'message', listener: (report: ProcessReport) => void): unknown;
  on(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): unknown;
  /** Ends it at once, whatever it does. */
  kill(signal: 'SIGKILL'): unknown;
}

/** Sends an order. Whether it was sent is not asked: of a process that has ended its exit tells. */
export function sendOrder(process: ServerProcess | undefined, order: ProcessOrder): void {
  process?.send(order, ignore);
}

function ignore(): void {}
