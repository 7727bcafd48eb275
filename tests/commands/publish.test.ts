import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createWorkplace } from './workplace.js';

t.test('publish says which training made the bundle, and whether it is the latest', async (t) => {
  const { dir, configsDir, run } = await createWorkplace(t);
  const raw = join(dir, 'raw');
  const small = ['--path', raw, '--users', '40', '--items', '30'];
  const data = ['--data', join(dir, 'data')];
  const train = () => run('train', ...data, '--protocol', 'chronological');
  const publish = (...options: string[]) => run('publish', ...data, ...options);
  await run('demo-data', ...small);
  await run('prepare', '--path', raw, ...data);
  const note = join(dir, 'data/trained/demo.unfinished.json');
  const home = join(configsDir, 'scenarios/home.yaml');
  const failTraining = async (): Promise<void> => {
    await rename(home, `${home}.away`);
    t.match(await train(), { code: 1, errors: /no scenario 'home'/ });
    await rename(`${home}.away`, home);
  };

  await failTraining();
  t.match(
    await publish(),
    { code: 1, errors: /^BUNDLE_NOT_FOUND: .*shortlist train/ },
    'there is none at all',
  );

  t.match(await train(), { code: 0 });
  t.match(await publish(), {
    code: 0,
    out: /trained\/demo was trained at 2026-01-02T03:04:05\.000Z, on [\d,]+ interactions of demo\.\nPublished /,
    errors: /^$/,
  });

  await failTraining();
  t.match(await publish(), {
    code: 1,
    errors:
      /^TRAINING_FAILED: The latest `shortlist train` of demo, begun at 2026-01-02T03:04:05\.000Z, failed \(INVALID_CONFIG: .*no scenario 'home'.*\)\. The bundle in .* is of an earlier one: 20260102T030405Z-.*--allow-earlier-train/,
  });
  t.match(await publish('--allow-earlier-train'), { code: 0, out: /was trained at .*\nPublished / });

  t.match(await train(), { code: 0 });
  t.match(await publish(), { code: 0, errors: /^$/ }, 'one that ended well is the latest again');

  await writeFile(note, '{"startedAt":"2026-01-02T04:00:00.000Z"}');
  t.match(await publish(), {
    code: 1,
    errors: /begun at 2026-01-02T04:00:00\.000Z, has not ended: it still runs, or it was killed\. The bundle/,
  });
  await writeFile(note, '{"startedAt');
  t.match(await publish(), { code: 1, errors: /^INVALID_DATASET: .*unfinished\.json is damaged/ });
  t.match(await train(), { code: 0 });

  await run('prepare', '--path', raw, ...data);
  t.match(await publish(), { code: 0, errors: /^$/ }, 'the same data, prepared again');

  const shelf = join(configsDir, 'scenarios/shelf.yaml');
  const rules = '[{ cap: { attribute: brand, most: 1, in: 2 } }]';
  await writeFile(
    shelf,
    `name: shelf\ndescription: d\nsources: { popular: 9 }\nmaxCandidates: 9\nranker: fusion\nrules: ${rules}\n`,
  );
  t.match(await publish(), {
    code: 0,
    out: /Published /,
    errors:
      /^warning: a server with the scenarios of .* refuses it: .*scenario shelf: rule cap: .* attribute brand/,
  });
  await rm(shelf);
  await run('demo-data', ...small, '--seed', '9');
  await run('prepare', '--path', raw, ...data);
  t.match(await publish(), {
    code: 0,
    out: /Published /,
    errors:
      /^Warning: .*prepared\/demo is not what this bundle was trained on: it was prepared again\..*forgotten/,
  });
});
