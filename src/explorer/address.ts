import type { InspectBody, Release } from './contract.js';

/** The tabs of the page. */
export const TABS = ['request', 'why', 'what-if', 'server'] as const;
/** A tab by its name in addresses. */
export type TabName = (typeof TABS)[number];

/** Whom or what a request is about. */
export const SUBJECTS = ['user', 'item', 'list', 'nobody'] as const;
/** What a request may be about. */
export type SubjectKind = (typeof SUBJECTS)[number];

/** The stages of the funnel. */
export const STEPS = ['history', 'rules', 'sources', 'candidates', 'slate'] as const;
/** A stage by its name in addresses. */
export type StepName = (typeof STEPS)[number];

/** A request as the form has it. */
export interface Asked {
  readonly subject: SubjectKind;
  readonly userId: string;
  readonly sessionId: string;
  readonly itemId: string;
  readonly items: readonly string[];
  readonly scenario: string;
  readonly limit: number;
  readonly exclude: readonly string[];
  readonly filter: readonly string[];
  readonly context: readonly string[];
  readonly release: Release;
}

/** What “What if?” does otherwise. */
export interface Changes {
  /** Items of the history that are left out. */
  readonly leftOut: readonly string[];
  /** Items that are put at the end of the history. */
  readonly added: readonly string[];
  readonly withoutSources: readonly string[];
  readonly withoutRules: readonly string[];
  readonly quotas: Readonly<Record<string, number>>;
  readonly strengths: Readonly<Record<string, number>>;
  /** Absent where the request’s own stays. */
  readonly context?: readonly string[] | undefined;
  readonly scenario?: string | undefined;
  readonly release?: Release | undefined;
}

/** What the page shows. The fragment of the address says all of it, so that no server sees it. */
export interface View {
  readonly tab: TabName;
  /** Absent until something is asked. */
  readonly asked?: Asked | undefined;
  readonly step: StepName;
  /** The item that is explained; empty for none. */
  readonly item: string;
  readonly changes: Changes;
  /** Whether the item is explained under the changes, rather than under the request as it is. */
  readonly isUnderChanges: boolean;
}

/** A request as it is. */
export const NO_CHANGES: Changes = {
  leftOut: [],
  added: [],
  withoutSources: [],
  withoutRules: [],
  quotas: {},
  strengths: {},
};

/** What a form begins with. */
export const NEW_REQUEST: Asked = {
  subject: 'user',
  userId: '',
  sessionId: '',
  itemId: '',
  items: [],
  scenario: '',
  limit: 10,
  exclude: [],
  filter: [],
  context: [],
  release: 'stable',
};

const MOST_ITEMS = 100;

/** Reads a fragment; what it does not say, or says wrongly, is as at the start. */
export function parseView(fragment: string): View {
  const [path = '', query = ''] = fragment.replace(/^#?\/?/, '').split('?', 2);
  const fields = new URLSearchParams(query);
  return {
    tab: oneOf(TABS, path) ?? 'request',
    asked: parseAsked(fields),
    step: oneOf(STEPS, fields.get('step')) ?? 'slate',
    item: fields.get('about') ?? '',
    changes: parseChanges(fields),
    isUnderChanges: fields.get('under') === 'changes',
  };
}

/** Writes a view as a fragment, without what is as at the start. */
export function formatView({ tab, asked, step, item, changes, isUnderChanges }: View): string {
  const fields = new URLSearchParams();
  const set = (name: string, value: string | number | undefined, usual: string | number = ''): void => {
    if (value !== undefined && value !== usual) fields.set(name, String(value));
  };
  const add = (name: string, values: readonly string[]): void => {
    for (const value of values) fields.append(name, value);
  };
  if (asked !== undefined) {
    fields.set('for', asked.subject);
    if (asked.subject === 'user') set('user', asked.userId);
    if (asked.subject === 'user') set('session', asked.sessionId);
    if (asked.subject === 'item') set('item', asked.itemId);
    if (asked.subject === 'list') add('items', asked.items);
    set('scenario', asked.scenario);
    set('limit', asked.limit, NEW_REQUEST.limit);
    add('exclude', asked.exclude);
    add('filter', asked.filter);
    add('context', asked.context);
    set('release', asked.release, 'stable');
  }
  set('step', step, 'slate');
  set('about', item);
  add('leave-out', changes.leftOut);
  add('add', changes.added);
  add('source-off', changes.withoutSources);
  add('rule-off', changes.withoutRules);
  add('quota', formatNumbers(changes.quotas));
  add('strength', formatNumbers(changes.strengths));
  if (changes.context !== undefined)
    add('other-context', changes.context.length > 0 ? changes.context : ['']);
  set('other-scenario', changes.scenario);
  set('other-release', changes.release);
  if (isUnderChanges) set('under', 'changes');
  const query = fields.toString();
  return `#/${tab}${query === '' ? '' : `?${query}`}`;
}

/** The body of `POST /inspect` for a request. */
export function toBody(asked: Asked): InspectBody {
  const { subject, userId, sessionId, itemId, items, scenario, exclude, filter, context } = asked;
  return {
    ...(subject === 'user' && userId !== '' && { userId }),
    ...(subject === 'user' && sessionId !== '' && { sessionId }),
    ...(subject === 'item' && { itemId }),
    ...(subject === 'list' && { history: [...items] }),
    ...(scenario !== '' && { scenario }),
    limit: asked.limit,
    ...(exclude.length > 0 && { exclude: [...exclude] }),
    ...(filter.length > 0 && { filter: [...filter] }),
    ...(context.length > 0 && { context: [...context] }),
    ...(asked.release !== 'stable' && { release: asked.release }),
  };
}

/** An entry of a history, as an inspection answers it. */
type KnownEntry = Readonly<{ itemId: string; time: string; type?: string; value: number }>;

/**
 * The body with changes.
 * @param history that of the unchanged request: a body cannot leave out one item of it, only say it anew
 */
export function changeBody(body: InspectBody, changes: Changes, history: readonly KnownEntry[]): InspectBody {
  const { leftOut, added, withoutSources, withoutRules, context } = changes;
  // What is off has no quota and no strength.
  const quotas = omitNames(changes.quotas, withoutSources);
  const strengths = omitNames(changes.strengths, withoutRules);
  const { scenario = body.scenario, release = body.release } = changes;
  const { context: _context, scenario: _scenario, release: _release, ...kept } = body;
  const newContext = context === undefined ? body.context : [...context];
  return {
    ...kept,
    ...(leftOut.length + added.length > 0 && {
      history: [
        ...history
          .filter(({ itemId }) => !leftOut.includes(itemId))
          .map(({ itemId, time, type, value }) => ({
            itemId,
            time,
            ...(type !== undefined && { type }),
            value,
          })),
        ...added,
      ],
    }),
    ...(withoutSources.length + withoutRules.length > 0 && {
      without: { sources: [...withoutSources], rules: [...withoutRules] },
    }),
    ...(Object.keys(quotas).length > 0 && { quotas }),
    ...(Object.keys(strengths).length > 0 && { strengths }),
    ...(newContext !== undefined && newContext.length > 0 && { context: newContext }),
    ...(scenario !== undefined && scenario !== '' && { scenario }),
    ...(release !== undefined && release !== 'stable' && { release }),
  };
}

/** Whether the changes change anything. */
export function isChanged(changes: Changes): boolean {
  const { leftOut, added, withoutSources, withoutRules, quotas, strengths } = changes;
  const lists = [leftOut, added, withoutSources, withoutRules, Object.keys(quotas), Object.keys(strengths)];
  return (
    lists.some(({ length }) => length > 0) ||
    changes.context !== undefined ||
    changes.scenario !== undefined ||
    changes.release !== undefined
  );
}

function parseAsked(fields: URLSearchParams): Asked | undefined {
  const subject = oneOf(SUBJECTS, fields.get('for'));
  if (subject === undefined) return undefined;
  const limit = Number(fields.get('limit') ?? NEW_REQUEST.limit);
  return {
    subject,
    userId: fields.get('user') ?? '',
    sessionId: fields.get('session') ?? '',
    itemId: fields.get('item') ?? '',
    items: fields.getAll('items'),
    scenario: fields.get('scenario') ?? '',
    limit: Number.isInteger(limit) && limit >= 1 && limit <= MOST_ITEMS ? limit : NEW_REQUEST.limit,
    exclude: fields.getAll('exclude'),
    filter: fields.getAll('filter'),
    context: fields.getAll('context'),
    release: parseRelease(fields.get('release')) ?? 'stable',
  };
}

function parseChanges(fields: URLSearchParams): Changes {
  const context = fields.getAll('other-context');
  const scenario = fields.get('other-scenario') ?? undefined;
  const release = parseRelease(fields.get('other-release'));
  return {
    leftOut: fields.getAll('leave-out'),
    added: fields.getAll('add'),
    withoutSources: fields.getAll('source-off'),
    withoutRules: fields.getAll('rule-off'),
    quotas: parseNumbers(fields.getAll('quota')),
    strengths: parseNumbers(fields.getAll('strength')),
    ...(context.length > 0 && { context: context.filter((value) => value !== '') }),
    ...(scenario !== undefined && { scenario }),
    ...(release !== undefined && { release }),
  };
}

function parseRelease(text: string | null): Release | undefined {
  return oneOf(['stable', 'canary', 'shadow'] as const, text);
}

function oneOf<Known extends string>(known: readonly Known[], text: string | null): Known | undefined {
  return known.find((value) => value === text);
}

/** `name:number`; a name may have colons. */
function parseNumbers(texts: readonly string[]): Record<string, number> {
  const pairs = texts.map((text) => [
    text.slice(0, text.lastIndexOf(':')),
    text.slice(text.lastIndexOf(':') + 1),
  ]);
  return Object.fromEntries(
    pairs
      .filter(([name, number]) => name !== '' && number !== '' && Number.isFinite(Number(number)))
      .map(([name, number]) => [name!, Number(number)]),
  );
}

/** Numbers without those of some names. */
export function omitNames(
  numbers: Readonly<Record<string, number>>,
  names: readonly string[],
): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).filter(([name]) => !names.includes(name)));
}

function formatNumbers(numbers: Readonly<Record<string, number>>): string[] {
  return Object.entries(numbers).map(([name, number]) => `${name}:${number}`);
}
