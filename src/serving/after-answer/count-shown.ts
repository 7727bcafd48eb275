import type { ShownCounts } from '../online/shown-counts.js';
import type { AnswerListener } from './answer-listener.js';

/** Counts what each answer shows to its user or visitor; what was sent in full, whether or not it was looked at. */
export function countShown(counts: ShownCounts, clock: () => number): AnswerListener {
  return {
    sent: ({ request, answer }) => counts.add(request.subject, answer.facts.itemIds, clock()),
  };
}
