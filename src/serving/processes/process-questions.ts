import { ShortlistError } from '../../domain/errors.js';
import { unpackError } from '../../domain/packed-error.js';
import type { ProcessAnswers, ProcessQuestion, ProcessReport, QuestionSubjects } from './process-messages.js';
import { sendOrder, type ServerProcess } from './server-process.js';

/** Questions to server processes that wait for their answers. */
export interface ProcessQuestions {
  /**
   * Asks a process; waits for as long as it takes where there is no limit.
   * @throws ShortlistError PROCESS_FAILED when the process ends, or has not answered within the limit
   */
  ask<Q extends keyof ProcessAnswers>(
    process: ServerProcess,
    question: Q,
    options?: QuestionOptions<Q>,
  ): Promise<ProcessAnswers[Q]>;
  /** A process has answered, or said why it cannot. */
  settle(report: Extract<ProcessReport, { id: number }>): void;
  /** The process has ended and will answer nothing. */
  abandon(process: ServerProcess, error: ShortlistError): void;
}

/** How a question is asked. */
export interface QuestionOptions<Q extends keyof ProcessAnswers> {
  readonly limitMs?: number;
  readonly about?: Q extends keyof QuestionSubjects ? QuestionSubjects[Q] : undefined;
}

interface Question {
  readonly process: ServerProcess;
  readonly timer: NodeJS.Timeout | undefined;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Creates the questions of a group of processes; none is asked yet. */
export function createProcessQuestions(): ProcessQuestions {
  const open = new Map<number, Question>();
  let asked = 0;
  return {
    ask: (process, question, { limitMs, about } = {}) =>
      new Promise((resolve, reject) => {
        const id = ++asked;
        const giveUp = (): void => {
          open.delete(id);
          reject(
            new ShortlistError('PROCESS_FAILED', `A server process has not answered within ${limitMs} ms.`),
          );
        };
        const timer = limitMs === undefined ? undefined : setTimeout(giveUp, limitMs);
        open.set(id, { process, timer, resolve, reject });
        sendOrder(process, { order: 'answer', id, asked: { question, about } as ProcessQuestion });
      }),
    settle: (report) => {
      const question = open.get(report.id);
      open.delete(report.id);
      clearTimeout(question?.timer);
      if (report.report === 'failed') question?.reject(unpackError(report.error));
      else question?.resolve(report.answer as never);
    },
    abandon: (process, error) => {
      for (const [id, question] of open) {
        if (question.process !== process) continue;
        open.delete(id);
        clearTimeout(question.timer);
        question.reject(error);
      }
    },
  };
}
