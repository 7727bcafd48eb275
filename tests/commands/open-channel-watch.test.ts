import t from 'tap';
import { listVersions } from '../../src/commands/open-channel-watch.js';
import type { ServiceDescription } from '../../src/serving/bundle-admin.js';

const DESCRIPTION: ServiceDescription = {
  version: '1',
  createdAt: '',
  dataset: 'demo',
  items: 1,
  users: 1,
  scenarios: [],
  filterableAttributes: [],
  contextFields: [],
};
const TRIAL = { release: 'canary', channel: 'candidate', share: 0.1, scenarios: ['home'] } as const;

t.test('of every process the version in service, and what it tries', async (t) => {
  const refused = { ...DESCRIPTION, trials: [{ ...TRIAL, state: 'refused' }] } as const;
  const same = { ...DESCRIPTION, trials: [{ ...TRIAL, state: 'same' }] } as const;
  const open = {
    ...DESCRIPTION,
    version: '2',
    trials: [{ ...TRIAL, state: 'open', bundle: { ...DESCRIPTION, version: '3' } }],
  } as const;
  t.same(
    listVersions('production', [DESCRIPTION, refused, same, open]),
    new Map([
      ['production', ['1', '1', '1', '2']],
      ['candidate', [undefined, '1', '3']],
    ]),
  );
});
