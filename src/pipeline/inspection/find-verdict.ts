import { mergeRetrievals } from '../../candidates/merge-candidates.js';
import type { CandidateSet } from '../../domain/candidate.js';
import type { AttributeFilter, MoveReason } from '../../domain/slate.js';
import { filterMask } from '../../rules/filter-masks.js';
import type { Engine } from '../engine.js';
import type { StageResults } from '../stage-results.js';
import type { GroupContributions, InspectedEntry, InspectedRank, Verdict } from './inspection.js';
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
  options: {
    filters: readonly AttributeFilter[];
    engine: Engine;
    /** That of the item in the history, where it is there. */
    entry: InspectedEntry | undefined;
  },
): Finding {
  if (kind === 'filter') return { verdict: 'filtered', detail: describeFilter(item, { why, ...options }) };
  if (kind === 'exclude') {
    const who = name === 'exclude' ? 'The request leaves it out (exclude).' : 'Earlier pages have shown it.';
    return { verdict: 'excluded', detail: who };
  }
  const reason = why ?? describeEntry(options.entry);
  const detail =
    name === 'unwanted'
      ? 'The subject said that it does not want it.'
      : `Taken out by the rule ${name}${reason === undefined ? '' : `: ${reason}`}.`;
  return { verdict: 'removed_by_rule', detail, rule: name };
}

function describeEntry(entry: InspectedEntry | undefined): string | undefined {
  if (entry === undefined) return undefined;
  const origin = { bundle: '', live: ', by an event', request: ', which the request gives' }[entry.from];
  return `in the history since ${entry.time.slice(0, 10)}${origin}`;
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
    const has = value === undefined ? 'unknown' : Array.isArray(value) ? value.join(', ') : String(value);
    const asked = own.map((filter) => `${attribute}:${filter.value}`).join(', ');
    return `The filter ${asked} takes it out: its value of ${attribute} is ${has}.`;
  }
  return 'The filters of the request take it out.';
}

/** All that the sources found, as the merge orders it. */
export function mergeAll({ candidates, query }: Pick<StageResults, 'candidates' | 'query'>): CandidateSet {
  const { retrievals } = candidates;
  const quotas = retrievals.map(({ source }) => query.scenario.sources[source] ?? 1);
  return mergeRetrievals(retrievals, { limit: Number.POSITIVE_INFINITY, quotas });
}

/**
 * What is known of an item that may be shown, and is no candidate.
 * @param options.union what `mergeAll` gives
 */
export function judgeUnfound(
  item: number,
  ranks: readonly InspectedRank[],
  {
    candidates,
    query,
    union,
  }: Pick<StageResults, 'candidates' | 'query'> & { union: Pick<CandidateSet, 'items'> },
): Finding {
  const place = union.items.indexOf(item) + 1;
  if (place > 0) {
    const held = candidates.items.length;
    const why = place <= held ? ' Items behind it have a place by the quota of their source.' : '';
    return {
      verdict: 'cut_in_merge',
      detail:
        `Sources found it, but too far down: place ${count(place)} of ${count(union.items.length)} by fusion of their ranks, ` +
        `and ${count(held)} go on to ranking.${why} A client that pages on may still get it.`,
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
    return of === undefined
      ? `${name} gave all it has, ${count(found)}`
      : `${name} has no score of it for this subject`;
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
  {
    candidates,
    limit,
    last,
    broughtIn,
  }: { candidates: number; limit: number; last: LastShown | undefined; broughtIn: number },
): Finding {
  const { rankedAt, shownAt, reasons } = item;
  const ranked = `ranked ${nth(rankedAt)} of ${count(candidates)}`;
  if (shownAt !== undefined) {
    const moved = reasons.map(
      ({ rule, from, to, detail }) => ` The rule ${rule} moved it from ${from} to ${to}: ${detail}.`,
    );
    return { verdict: 'shown', detail: `Shown at place ${shownAt}, ${ranked}.${moved.join('')}` };
  }
  if (last === undefined) return judgeMoved(reasons, { ranked, limit });
  const lead = showNumber(last.score - item.score);
  const group = findLead(item.contributions, last.contributions);
  const most = group === undefined ? '' : `, most of it from ${group}`;
  const brought =
    broughtIn === 0
      ? ''
      : ` Rules brought in ${count(broughtIn)} that ${broughtIn === 1 ? 'is' : 'are'} ranked below it.`;
  return {
    verdict: 'ranked_below',
    detail: `It is ${ranked}; the ${nth(last.rankedAt)}, the last that ranking shows, has ${lead} more${most}.${brought}`,
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
