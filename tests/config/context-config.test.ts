import t, { type Test } from 'tap';
import { listContextProblems } from '../../src/config/context-config.js';
import { readDatasetConfig } from '../../src/config/dataset-config.js';

const CONFIG = `name: shop
description: A shop.
licence: none
path: data
evaluation: { protocol: rolling }
interactions:
  sql: SELECT * FROM '{path}/log.csv'
  context:
`;

function read(t: Test, context: string) {
  const file = `${t.testdir({ 'shop.yaml': `${CONFIG}    ${context}\n` })}/shop.yaml`;
  return readDatasetConfig(file, { configsDir: 'configs' }).interactions.context;
}

t.test('the hour, the weekday and columns can be declared', async (t) => {
  const context = {
    hour: true,
    weekday: true,
    timeZone: 'Europe/Berlin',
    columns: { device: { role: 'categorical' }, temperature: { role: 'numeric' } },
  };
  t.same(read(t, JSON.stringify(context)), context);
});

t.test('every problem is named with what to do', async (t) => {
  const at = 'interactions.context';
  t.same(listContextProblems({}), [`${at} declares neither hour nor weekday nor a column`]);
  t.same(listContextProblems({ hour: false, timeZone: 'UTC' }), [
    `${at} declares neither hour nor weekday nor a column`,
    `${at}.timeZone is set, but neither hour nor weekday is declared`,
  ]);
  t.same(listContextProblems({ weekday: true, timeZone: 'Mars/Olympus' }), [
    `${at}.timeZone is 'Mars/Olympus', allowed is an IANA name such as Europe/Berlin`,
  ]);
  const role = 'categorical';
  const columns = {
    Type: { role },
    hour: { role },
    'my-device': { role },
    os: { role },
    OS: { role },
  } as const;
  t.same(listContextProblems({ columns }), [
    `${at}.columns.Type: Type has a meaning of its own; give the column another name in the SQL`,
    `${at}.columns.hour: hour has a meaning of its own; give the column another name in the SQL`,
    `${at}.columns.my-device: the name is made of letters, digits and underscores and begins with a letter; rename it in the SQL`,
    `${at}.columns.OS differs from another column in case only`,
  ]);
});

t.test('a config with problems, roles that are none or unknown keys is refused', async (t) => {
  t.throws(() => read(t, '{ timeZone: Nowhere, hour: true }'), {
    code: 'INVALID_CONFIG',
    message: /Nowhere/,
  });
  t.throws(() => read(t, '{ columns: { device: { role: text } } }'), {
    message: /context\.columns\.device\.role/,
  });
  t.throws(() => read(t, '{ hours: true }'), { message: /hours/ });
});
