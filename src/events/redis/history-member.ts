import type { HistoryEvent } from '../../domain/event.js';

/** An event of a history as a member of a sorted set, whose score is its time: what is the same but for the time is one member. */
export function packMember({ itemId, type, value }: HistoryEvent): string {
  return JSON.stringify(value === undefined ? [itemId, type] : [itemId, type, value]);
}

/** The event of a member; undefined for a member that somebody else wrote. @param time its score */
export function parseMember(member: string, time: number): HistoryEvent | undefined {
  const parts = parseList(member);
  const [itemId, type, value] = parts;
  if (typeof itemId !== 'string' || typeof type !== 'string' || !Number.isFinite(time)) return undefined;
  if (value === undefined) return { itemId, type, time };
  return typeof value === 'number' ? { itemId, type, value, time } : undefined;
}

function parseList(text: string): readonly unknown[] {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return [];
  }
}
