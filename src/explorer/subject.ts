import type { InspectBody } from './contract.js';
import { formatAmount } from './format.js';

/** How the subject of a list for nobody is called. */
export const NOBODY = 'nobody in particular';

/** Whom or what a list is for, in the fewest words. */
export function nameSubject({ userId, sessionId, itemId, history }: InspectBody): string {
  if (userId !== undefined) return quoteBlanks(userId);
  if (sessionId !== undefined) return `the session ${quoteBlanks(sessionId)}`;
  if (itemId !== undefined) return `what is like item ${quoteBlanks(itemId)}`;
  return history === undefined ? NOBODY : `a history of ${formatAmount(history.length, 'item')}`;
}

/** What stands over an answer while another is waited for, so that nobody takes it for the other. */
export function describeWait(answered: InspectBody, wanted: InspectBody): string {
  if (JSON.stringify(answered) === JSON.stringify(wanted)) return 'Asking anew…';
  const [shown, next] = [nameSubject(answered), nameSubject(wanted)];
  return shown === next
    ? 'Still showing the answer before. Asking anew…'
    : `Still showing ${shown}. Asking for ${next}…`;
}

/** An id, in quotes where it begins or ends with a blank, which nobody would see. */
export function quoteBlanks(id: string): string {
  return hasOuterBlank(id) ? `“${id}”` : id;
}

/** Whether a text begins or ends with a blank. */
export function hasOuterBlank(text: string): boolean {
  return text !== text.trim();
}
