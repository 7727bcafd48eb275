import t from 'tap';
import {
  changeBody,
  formatView,
  isChanged,
  NEW_REQUEST,
  NO_CHANGES,
  parseView,
  toBody,
  type View,
} from '../../src/explorer/address.js';
import { describeChanges } from '../../src/explorer/describe-changes.js';

const START: View = {
  tab: 'request',
  asked: undefined,
  step: 'slate',
  item: '',
  changes: NO_CHANGES,
  isUnderChanges: false,
};

const FULL: View = {
  tab: 'what-if',
  asked: {
    ...NEW_REQUEST,
    userId: 'a&b=c#ד',
    sessionId: 's 1',
    scenario: 'home',
    limit: 7,
    exclude: ['1', '2'],
    filter: ['genres:Sci-Fi & more'],
    context: ['device:phone'],
    release: 'canary',
  },
  step: 'candidates',
  item: '<img src=x>',
  changes: {
    leftOut: ['3'],
    added: ['4', '5'],
    withoutSources: ['als'],
    withoutRules: ['cap'],
    quotas: { ease: 12, 'a:b': 3 },
    strengths: { boost: 0.5 },
    context: [],
    scenario: 'new',
    release: 'stable',
  },
  isUnderChanges: true,
};

t.test('a view that was written as a fragment is read back as it was', async (t) => {
  for (const view of [
    START,
    FULL,
    { ...START, asked: { ...NEW_REQUEST, subject: 'list', items: ['9', '8'] } } as View,
  ]) {
    t.strictSame(parseView(formatView(view)), view);
  }
  t.equal(formatView(START), '#/request');
});

t.test('a fragment that says nothing, or nonsense, is the start', async (t) => {
  for (const fragment of ['', '#', '#/', '#/nowhere?for=king&step=x', '#/request?limit=5']) {
    t.strictSame(parseView(fragment), START, fragment);
  }
  for (const limit of ['0', '-1', '101', 'x', '2.5']) {
    t.equal(parseView(`#/why?for=nobody&limit=${limit}`).asked!.limit, NEW_REQUEST.limit, limit);
  }
});

t.test('a request is asked as its subject has it, without what is not said', async (t) => {
  const asked = { ...NEW_REQUEST, userId: 'u1', itemId: 'i1', items: ['i2'] };
  t.strictSame(toBody(asked), { userId: 'u1', limit: 10 });
  t.strictSame(toBody({ ...asked, subject: 'item' }), { itemId: 'i1', limit: 10 });
  t.strictSame(toBody({ ...asked, subject: 'list' }), { history: ['i2'], limit: 10 });
  t.strictSame(toBody({ ...asked, subject: 'nobody' }), { limit: 10 });
});

const HISTORY = [
  { itemId: '3', title: 'Three', time: '2026-01-01T00:00:00Z', value: 1, from: 'bundle' },
  { itemId: '6', title: 'Six', time: '2026-01-02T00:00:00Z', type: 'click', value: 2, from: 'live' },
];

t.test('a changed request says the whole history anew, as a body may say it', async (t) => {
  const body = changeBody({ userId: 'u1' }, { ...NO_CHANGES, leftOut: ['3'], added: ['4'] }, HISTORY);
  t.strictSame(body, {
    userId: 'u1',
    history: [{ itemId: '6', time: '2026-01-02T00:00:00Z', type: 'click', value: 2 }, '4'],
  });
});

t.test('a changed request has only what is changed', async (t) => {
  t.strictSame(changeBody({ userId: 'u1', context: ['a:b'], scenario: 'home' }, NO_CHANGES, HISTORY), {
    userId: 'u1',
    context: ['a:b'],
    scenario: 'home',
  });
  t.strictSame(changeBody({ context: ['a:b'], release: 'canary', scenario: 'home' }, FULL.changes, []), {
    history: ['4', '5'],
    without: { sources: ['als'], rules: ['cap'] },
    quotas: { ease: 12, 'a:b': 3 },
    strengths: { boost: 0.5 },
    scenario: 'new',
  });
});

t.test('what is off has no quota and no strength', async (t) => {
  const changes = {
    ...NO_CHANGES,
    withoutSources: ['als'],
    withoutRules: ['boost'],
    quotas: { als: 7, ease: 12 },
    strengths: { boost: 2 },
  };
  t.strictSame(changeBody({}, changes, []), {
    without: { sources: ['als'], rules: ['boost'] },
    quotas: { ease: 12 },
  });
  t.equal(describeChanges(changes), 'without als, without boost, quota 12 of ease');
});

t.test('changes are told in a few words', async (t) => {
  t.equal(
    describeChanges(FULL.changes),
    'scenario new, the bundle in service, without als, without cap, quota 12 of ease, quota 3 of a:b, boost × 0.5, without item 3, with item 4, with item 5, no context',
  );
  t.equal(
    describeChanges({ ...NO_CHANGES, scenario: '', release: 'canary', context: ['device:phone'] }),
    'the usual scenario, the canary, context device:phone',
  );
});

t.test('each change is one, and none is none', async (t) => {
  t.notOk(isChanged(NO_CHANGES));
  for (const [name, value] of Object.entries(FULL.changes)) {
    t.ok(isChanged({ ...NO_CHANGES, [name]: value }), name);
  }
});
