import type { Capture } from '../../pipeline/execution.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import type { Answer } from '../recommender.js';

/** A request with its answer. */
export interface Answered {
  readonly requestId: string;
  /** Names this one answer: the server's own, where a request id may be the client's and come again. Absent in shadow, which answers nobody. */
  readonly slateId?: string;
  readonly request: RecommendationRequest;
  readonly answer: Answer;
}

/** Does something beside the answers: counts them, logs them, compares them. Nobody waits for it, and it must not throw. */
export interface AnswerListener {
  /** Says what it wants kept of the run of a request. */
  readonly wants?: (request: RecommendationRequest, requestId: string) => Capture;
  /**
   * Is told of every answer, before it is sent.
   * @param milliseconds from asking the recommender to its answer
   */
  readonly answered?: (answered: Answered, milliseconds: number) => void;
  /**
   * Is told of an answer with items whose last byte is out.
   * @param milliseconds from the first byte of the request
   */
  readonly sent?: (answered: Answered, milliseconds: number) => void;
  /** Waits for its own use of the recommender, which closes then. */
  readonly settle?: () => Promise<void>;
  /** Writes what waits to be written. */
  readonly close?: () => Promise<void>;
}

/** One listener that hands on to all. */
export function joinListeners(listeners: readonly AnswerListener[]): Required<AnswerListener> {
  const wanting = listeners.filter(({ wants }) => wants !== undefined);
  return {
    wants: (request, requestId) =>
      wanting.reduce<Capture>(
        (capture, listener) => ({ ...capture, ...listener.wants!(request, requestId) }),
        {},
      ),
    answered: (answered, milliseconds) => {
      for (const listener of listeners) listener.answered?.(answered, milliseconds);
    },
    sent: (answered, milliseconds) => {
      for (const listener of listeners) listener.sent?.(answered, milliseconds);
    },
    settle: async () => void (await Promise.all(listeners.map(async (listener) => listener.settle?.()))),
    close: async () => void (await Promise.all(listeners.map(async (listener) => listener.close?.()))),
  };
}
