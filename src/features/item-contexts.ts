import type { ContextField, ContextSpec } from '../domain/context.js';

/** A field with what its interactions up to one time say of it. */
export interface KnownContextField extends ContextField {
  /** Of a numeric field: the value that stands for none, the mean. */
  readonly default?: number;
  /** Of a numeric field: where its parts meet, ascending. */
  readonly bounds?: readonly number[];
}

/** Counts of interactions by item, per part of each field of the context. */
export interface ItemContexts extends ContextSpec {
  readonly fields: readonly KnownContextField[];
  /** Per field. */
  readonly counts: readonly PartCounts[];
}

/** Interactions per item and part, stored item after item (compressed sparse rows). */
export interface PartCounts {
  /** `offsets[i] .. offsets[i + 1]` are the entries of item i; length items + 1. */
  readonly offsets: Uint32Array;
  /** Part per entry, ascending within an item. */
  readonly parts: Int32Array;
  /** Interactions per entry, above 0. */
  readonly counts: Uint32Array;
}

/** Four hours are long enough to be counted, and short enough to tell a morning from a night. */
const HOURS_PER_PART = 4;

/** Number of parts of a field that are counted apart. */
export function countParts({ type, values = [], bounds = [] }: KnownContextField): number {
  switch (type) {
    case 'hour':
      return 24 / HOURS_PER_PART;
    case 'weekday':
      return 7;
    case 'numeric':
      return bounds.length + 1;
    default:
      return values.length;
  }
}

/** The part that a value of a field falls into; -1 where there is none. */
export function partOf({ type, bounds = [] }: KnownContextField, value: number): number {
  if (Number.isNaN(value)) return -1;
  switch (type) {
    case 'hour':
      return Math.floor(value / HOURS_PER_PART);
    case 'weekday':
      return value - 1;
    case 'numeric':
      return bounds.reduce((part, bound) => (value >= bound ? part + 1 : part), 0);
    default:
      return value;
  }
}
