import { mergeRetrievals } from '../../candidates/merge-candidates.js';
import type { AttributeFilter, MoveReason } from '../../domain/slate.js';
import { filterMask } from '../../rules/filter-masks.js';
import type { Engine } from '../engine.js';
import type { StageResults } from '../stage-results.js';
import type { GroupContributions, InspectedRank, Verdict } from './inspection.js';
import type { Removal } from './removals.js';

/** Why an item is where it is. */
export interface Finding {
  readonly verdict: Verdict;
  readonly detail: string;
  readonly rule?: string | undefined;
}

/** What is known of an item that cannot be a candidate. */
export function judgeRemoved(
  item: number,
  { name, kind, why }: Removal,
  { filters, engine }: { filters: readonly AttributeFilter[]; engine: Engine },
): Finding {
  if (kind === 'filter')
    return { verdict: 'filtered', detail: describeFilter(item, { why, filters, engine }) };
  if (kind === 'exclude') {
    const who = name === 'exclude' ? 'The request leaves it out (exclude).' : 'Earlier pages have shown it.';
    return { verdict: 'excluded', detail: who };
  }
  const detail =
    name === 'unwanted'
      ? 'The subject said that it does not want it.'
      : `Taken out by the rule ${name}${why === undefined ? '' : `: ${why}`}.`;
  return { verdict: 'removed_by_rule', detail, rule: name };
}

/** The first attribute whose filters the item does not pass. */
function describeFilter(
  item: number,
  { why, filters, engine }: { why: string | undefined; filters: readonly AttributeFilter[]; engine: Engine },
): string {
  if (why !== undefined) return `The filters of the scenario (${why}) take it out.`;
  const { catalogue } = engine;
  for (const attribute of new Set(filters.map((filter) => filter.attribute))) {
    const own = filters.filter((filter) => filter.attribute === attribute);
    if (filterMask(catalogue, own)[item] === 1) continue;
    const value = catalogue.attributes.find(({ name }) => name === attribute)?.values[item];
    const has = value === undefined ? 'no value' : Array.isArray(value) ? value.join(', ') : String(value);
    return `The filter ${own.map((filter) => `${attribute}:${filter.value}`).join(', ')} takes it out: its ${attribute} is ${has}.`;
  }
  return 'The filters of the request take it out.';
}

/** What is known of an item that may be shown, and is no candidate. */
export function judgeUnfound(
  item: number,
  ranks: readonly InspectedRank[],
  { candidates, query }: Pick<StageResults, 'candidates' | 'query'>,
): Finding {
  const { retrievals } = candidates;
  const quotas = retrievals.map(({ source }) => query.scenario.sources[source] ?? 1);
  if (retrievals.some(({ items }) => items.includes(item))) {
    const union = mergeRetrievals(retrievals, { limit: Number.POSITIVE_INFINITY, quotas });
    const place = union.items.indexOf(item) + 1;
    const held = count(candidates.items.length);
    const why =
      place <= candidates.items.length ? ' Items behind it have a place by the quota of their source.' : '';
    return {
      verdict: 'cut_in_merge',
      detail: `Found, and cut in the merge: place ${count(place)} of ${count(union.items.length)} by fusion, and the set holds ${held}.${why}`,
    };
  }
  const places = ranks.map((rank) => describeRank(rank, query.scenario.sources[rank.name]));
  return {
    verdict: 'not_found',
    detail: `Found by no source${places.length === 0 ? '' : `: ${places.join('; ')}`}.`,
  };
}

function describeRank({ name, rank, of, found }: InspectedRank, quota: number | undefined): string {
  if (rank === undefined)
    return of === undefined ? `${name} gave all it has, ${count(found)}` : `${name} knows nothing of it`;
  const gave = `gave ${count(found)}, quota ${count(quota ?? 0)}`;
  return `${name} has it at ${count(rank)} of ${count(of ?? 0)} (${gave})`;
}

/** A candidate, by its places. */
export interface RankedItem {
  /** Place by ranking, from 1. */
  readonly rankedAt: number;
  /** Place in the slate, from 1; undefined where it is not shown. */
  readonly shownAt: number | undefined;
  readonly score: number;
  readonly reasons: readonly MoveReason[];
  readonly contributions: GroupContributions | undefined;
}

/** The last candidate that ranking alone would show, to which others are compared. */
export type LastShown = Pick<RankedItem, 'rankedAt' | 'score' | 'contributions'>;

/** What is known of a candidate. */
export function judgeRanked(
  item: RankedItem,
  { candidates, limit, last }: { candidates: number; limit: number; last: LastShown | undefined },
): Finding {
  const { rankedAt, shownAt, reasons } = item;
  const ranked = `ranked ${nth(rankedAt)} of ${count(candidates)}`;
  if (shownAt !== undefined) {
    const moved = reasons.map(({ rule, from, to }) => ` The rule ${rule} moved it from ${from} to ${to}.`);
    return { verdict: 'shown', detail: `Shown at place ${shownAt}, ${ranked}.${moved.join('')}` };
  }
  if (last === undefined) return judgeMoved(reasons, { ranked, limit });
  const lead = showNumber(last.score - item.score);
  const group = findLead(item.contributions, last.contributions);
  const most = group === undefined ? '' : `, most of it from ${group}`;
  return {
    verdict: 'ranked_below',
    detail: `It is ${ranked}; the ${nth(last.rankedAt)}, the last that ranking shows, has ${lead} more${most}.`,
  };
}

/** Of the rules that moved a candidate out of the slate, the last that did so says why. */
function judgeMoved(
  reasons: readonly MoveReason[],
  { ranked, limit }: { ranked: string; limit: number },
): Finding {
  const move = reasons.findLast(({ from, to }) => from <= limit && to > limit) ?? reasons.at(-1);
  if (move === undefined)
    return { verdict: 'moved_by_rule', detail: `It is ${ranked}; rules put others before it.` };
  const { rule, from, to, detail } = move;
  return {
    verdict: 'moved_by_rule',
    detail: `It is ${ranked}; the rule ${rule} moved it from ${from} to ${to} (${detail}).`,
    rule,
  };
}

/** The group that gives the last shown one most of its lead. */
function findLead(
  item: GroupContributions | undefined,
  last: GroupContributions | undefined,
): string | undefined {
  if (item === undefined || last === undefined) return undefined;
  const leads = Object.entries(last.groups).map(([name, value]) => ({
    name,
    lead: value - (item.groups[name] ?? 0),
  }));
  const most = leads.reduce((best, one) => (one.lead > best.lead ? one : best), { name: '', lead: 0 });
  return most.lead > 0 ? most.name : undefined;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

function nth(place: number): string {
  const tens = place % 100;
  const suffix = tens >= 11 && tens <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][place % 10] ?? 'th');
  return `${count(place)}${suffix}`;
}

function showNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}
