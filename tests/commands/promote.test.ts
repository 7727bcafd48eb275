import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { createWorkplace } from './workplace.js';

t.test('a trained bundle goes through the gates to production, and back', async (t) => {
  const { dir, configsDir, run } = await createWorkplace(t);
  const raw = join(dir, 'raw');
  const data = ['--data', join(dir, 'data')];
  await run('demo-data', '--path', raw, '--users', '60', '--items', '80');
  await run('prepare', '--path', raw, ...data);
  t.match(await run('train', ...data, '--protocol', 'chronological'), { code: 0 });
  t.match(await run('evaluate', ...data, '--protocol', 'chronological'), { code: 0 });

  t.match(await run('promote'), { code: 1, errors: /BUNDLE_NOT_FOUND/ });
  t.match(await run('publish', ...data), { code: 0 });
  const gates = join(configsDir, 'gates.yaml');
  await writeFile(gates, 'minimumNdcg: 0.99\n');
  t.match(await run('promote', '--to', 'staging'), {
    code: 1,
    errors: /GATES_FAILED: .*minimumNdcg: 0\.\d+, not at least 0\.99/s,
  });
  await writeFile(gates, 'minimumNdcg: 0.01\n');
  t.match(await run('promote', '--to', 'staging'), {
    code: 0,
    out: /passed opens: it is whole, and answers\npassed minimumNdcg: 0\.\d+, at least 0\.01\nstaging points at .* before at nothing/,
  });
  await writeFile(gates, 'minimumNdcg: 0.01\nmaximumP99Ms: 0.000001\nmaximumDegradedShare: 0\n');
  const allow = ['--allow', 'maximumP99Ms'];
  t.match(await run('promote', ...allow), { code: 2, errors: /--allow and --reason go together/ });
  t.match(await run('promote', '--allow', 'x', '--reason', 'y'), {
    code: 2,
    errors: /Allowed are fullTraining, minimumNdcg,/,
  });
  t.match(await run('promote', ...allow, '--reason', 'no clock'), {
    code: 0,
    out: /allowed maximumP99Ms: [\d.]+, not at most 0.000001\npassed maximumDegradedShare: 0, at most 0\nproduction points/,
  });
  t.match(await run('audit-log'), { out: /; allowed \(no clock\): maximumP99Ms: [\d.]+, not at most/ });
  t.match(await run('compare', 'production', join(dir, 'data/trained/demo')), {
    code: 0,
    out: /Verdict: A and B cannot be told apart in two-stage/,
  });
  t.match(await run('compare', 'staging', '20260101T000000Z-00000000'), {
    code: 1,
    errors: /BUNDLE_NOT_FOUND/,
  });
  t.match(await run('rollback'), { code: 1, errors: /has pointed at nothing before/ });
  t.match(await run('train', ...data, '--protocol', 'random'), { code: 0 });
  t.match(await run('publish', ...data), { code: 0 });
  const toStaging = ['promote', '--to', 'staging'];
  t.match(await run(...toStaging), { code: 1, errors: /it was not evaluated: run `shortlist evaluate`/ });
  await writeFile(gates, 'maximumLatencyRatio: 1000\n');
  t.match(await run(...toStaging), {
    code: 0,
    out: /passed maximumLatencyRatio: [\d.]+, at most 1000 \(median/,
  });
  t.match(await run('promote'), { code: 0, out: /production points at .* before at \d{8}T/ });
  t.match(await run('rollback'), { code: 0, out: /production points at .* again/ });
});
