import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { createCommandRunner } from '../support/command-runner.js';
import { writeSmallBundle } from '../support/trained-bundle.js';

const dir = t.testdir();

/** A copy of the shipped configs with some files changed. */
async function withConfigs(files: Readonly<Record<string, string>>): Promise<string> {
  const configsDir = join(dir, 'configs');
  await rm(configsDir, { recursive: true, force: true });
  await cp('configs', configsDir, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(configsDir, name), text);
  return configsDir;
}

const SHELF = `
name: shelf
description: A shelf of a test.
sources: { popular: 50 }
maxCandidates: 50
ranker: fusion
coldStart: popular
rules:
  - exclude-requested
  - seen: { types: [purchase, rental], days: 30 }
  - available: { from: released, until: ends }
  - cap: { attribute: genres, most: 2, in: 10 }
  - diversity: { strength: 0.3, by: attributes, attributes: [genres, country] }
  - fresh: { halfLifeDays: 7, strength: 0.2 }
  - pin: { item: i5, position: 1, when: { scenario: [shelf, home], context: [device:tv] }, until: 2026-03-01T00:00Z }
  - hide: { items: [i1, i2, i3, i4] }
  - boost: { strength: -0.2, when: { filter: ['genres:Horror'] }, from: 2026-02-01T00:00Z }
`;

t.test('the shipped configs are right, and each scenario is told in a sentence', async (t) => {
  const { code, out } = await createCommandRunner()('validate');
  t.equal(code, 0);
  t.match(
    out,
    /^home starts from what a user did, takes up to 300 candidates of als \(80\), ease \(80\), .* and leaves users without a history to popular\.$/m,
  );
  t.match(out, /^similar starts from one item, /m);
  t.match(out, /Every file of configs is right\.$/);
  t.notMatch(out, /warning/);
});

t.test('every rule has words of its own', async (t) => {
  const configsDir = await withConfigs({ 'scenarios/shelf.yaml': SHELF });
  const { code, out } = await createCommandRunner({ configsDir })('validate');
  t.equal(code, 0);
  t.equal(
    out.split('\n').find((line) => line.startsWith('shelf')),
    'shelf starts from what a user did, takes up to 50 candidates of popular (50), keeps the order of the sources, ' +
      'leaves out what the request excludes, leaves out what was of the type purchase or rental in the last 30 days, ' +
      'leaves out items before `released` and from `ends` on, shows at most 2 with the same genres in 10 places, ' +
      'keeps like from like by genres and country (strength 0.3), lifts what is new (half as fresh after 7 days, strength 0.2), ' +
      'puts i5 at place 1 in shelf or home where the context has device:tv until 2026-03-01T00:00Z, hides 4 items, ' +
      'sinks items with genres:Horror (strength -0.2) from 2026-02-01T00:00Z and leaves users without a history to popular.',
  );
});

t.test('every problem of every file is told at once', async (t) => {
  const configsDir = await withConfigs({
    'scenarios/shelf.yaml': SHELF.replace('{ popular: 50 }', '{ populer: 50 }')
      .replace('home]', 'hme]')
      .replace(': popular\n', ': poplar\n'),
    'scenarios/broken.yaml': 'name: broken',
    'scenarios/shelf.yml': SHELF,
    'datasets/films.yml': 'name: films',
    'load/night.yml': 'stages: []',
    'production.yaml': 'cache: { ttlSeconds: soon }',
    'training.yaml': 'seed: [',
    'gates.yaml': 'speed: 1',
    'datasets/demo.yaml': 'name: demo',
    'load/peak.yaml': 'stages: []',
  });
  const { code, errors } = await createCommandRunner({ configsDir })('validate');
  t.equal(code, 1);
  for (const problem of [
    /scenario shelf: source "populer" is unknown; known are als/,
    /scenario shelf: coldStart "poplar" is unknown; known are broken, continue, home/,
    /rules\.6\.pin\.when\.scenario "hme" is unknown; known are broken, continue, home/,
    /scenarios\/broken\.yaml: rules is missing, allowed is a list of rules/,
    /scenarios\/shelf\.yml is not read: a scenario is a file <name>\.yaml in .*scenarios/,
    /datasets\/films\.yml is not read: a dataset is a file/,
    /load\/night\.yml is not read: a load profile is a file/,
    /production\.yaml: cache\.ttlSeconds is "soon"/,
    /training\.yaml: /,
    /gates\.yaml: speed is unknown/,
    /datasets\/demo\.yaml: /,
    /load\/peak\.yaml: /,
  ])
    t.match(errors, problem);
});

t.test('scenarios that cannot be read are told without sentences', async (t) => {
  const configsDir = await withConfigs({ 'scenarios/shelf.yaml': 'name: shelf' });
  const { code, out, errors } = await createCommandRunner({ configsDir })('validate');
  t.equal(code, 1);
  t.equal(out, '');
  t.match(errors, /scenarios\/shelf\.yaml: /);
});

t.test('what has no effect is a warning, and no failure', async (t) => {
  const configsDir = await withConfigs({
    'scenarios/shelf.yaml': SHELF.replace(': popular\n', ': shelf\n'),
  });
  await rm(join(configsDir, 'scenarios/similar.yaml'));
  const now = () => new Date('2026-03-01T00:00Z');
  const { code, out } = await createCommandRunner({ configsDir, now })('validate');
  t.equal(code, 0);
  t.same(
    out.split('\n').filter((line) => line.startsWith('warning:')),
    [
      'warning: scenario shelf: coldStart names the scenario itself, which changes nothing',
      'warning: scenario shelf: rules.6.pin ended at 2026-03-01T00:00Z, and does nothing',
      'warning: there is no scenario similar: GET /items/:itemId/similar is answered with 400',
    ],
  );
});

t.test('with a bundle, what it does not have is told too', async (t) => {
  const { folder } = await writeSmallBundle(dir);
  const version = await createFolderRegistry(join(dir, 'models')).publish(folder);
  const env = { SHORTLIST_REGISTRY: join(dir, 'models') };
  const right = createCommandRunner({ env });
  t.equal((await right('validate', '--bundle', version)).code, 0);
  t.match(await right('validate', '--bundle', '20200101T000000Z-00000000'), {
    code: 1,
    errors: /BUNDLE_NOT_FOUND/,
  });
  const configsDir = await withConfigs({ 'scenarios/shelf.yaml': SHELF });
  const { code, errors } = await createCommandRunner({ env, configsDir })('validate', '--bundle', version);
  t.equal(code, 1);
  t.match(errors, /scenario shelf: rule available: the items have no attribute released/);
  t.match(errors, /scenario shelf: rule available: the items have no attribute ends/);
  t.match(errors, /scenario shelf: rule pin: when\.context names device/);
});

t.test('with a bundle, items and types that it does not have are warnings', async (t) => {
  const { folder } = await writeSmallBundle(t.testdir());
  const rules = 'rules: [{ hide: { items: [nothing] } }, { seen: { types: [rental] } }]\n';
  const configsDir = await withConfigs({ 'scenarios/shelf.yaml': SHELF.replace(/rules:[^]*/, rules) });
  const { code, out } = await createCommandRunner({ configsDir })('validate', '--bundle', folder);
  t.equal(code, 0);
  t.match(out, /^warning: scenario shelf: rules\.0\.hide names nothing, and the bundle has no such item$/m);
  t.match(out, /^warning: scenario shelf: rules\.1\.seen\.types names rental, .*; they have no types$/m);
});
