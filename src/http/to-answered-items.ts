import { round } from '../domain/round.js';
import type { Slate, SlateItem } from '../domain/slate.js';
import type { SlateItem as AnsweredItem } from './schemas/slate.js';

/** The part of an answer that every route with items ends with; numbers rounded to 6 decimals, since Float32 prints as 0.10000000149. */
export function toAnsweredItems({ degraded, items }: Slate) {
  return {
    degraded: degraded.map(({ stage, reason }) => ({ stage, reason })),
    items: items.map(toAnsweredItem),
  };
}

function toAnsweredItem(item: SlateItem): AnsweredItem {
  const { itemId, position, score, attributes, sources, reasons, features } = item;
  return {
    itemId,
    position,
    score: round(score),
    attributes,
    ...(sources && {
      sources: sources.map(({ name, score, rank }) => ({ name, score: round(score), rank })),
    }),
    ...(reasons && { reasons: reasons.map(({ rule, detail, from, to }) => ({ rule, detail, from, to })) }),
    ...(features && { features: Object.fromEntries(Object.entries(features).map(roundEntry)) }),
  };
}

function roundEntry([name, value]: [string, number]): [string, number] {
  return [name, round(value)];
}
