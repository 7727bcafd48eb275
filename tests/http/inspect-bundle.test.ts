import { join } from 'node:path';
import t from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { InspectAnswer } from '../../src/http/schemas/inspect.js';
import { startExperimentServer } from '../support/experiment-server.js';
import { writeSmallBundle } from '../support/trained-bundle.js';
import { createOpenapiValidator, type OpenapiDocument } from './openapi-validator.js';

const dir = t.testdir({ one: {}, two: {} });
const first = await writeSmallBundle(join(dir, 'one'));
const second = await writeSmallBundle(join(dir, 'two'), { createdAt: '2026-02-02T03:04:05Z' });
const models = join(dir, 'models');
const registry = createFolderRegistry(models);
for (const { folder } of [first, second]) await registry.publish(folder);
await registry.point('production', first.manifest.version);
await registry.point('candidate', second.manifest.version);

const canary = { channel: 'candidate', share: 0.4 };
const about = ['no-such-item', ...Array.from({ length: 19 }, (_, at) => `i0${at + 10}`)];

async function inspect(adminUrl: string, body: object) {
  const answer = await fetch(`${adminUrl}/inspect`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, body: (await answer.json()) as InspectAnswer };
}

t.test('a server explains the answer that it gives, as its document says it', async (t) => {
  const server = await startExperimentServer(t, models, { cache: { enabled: true } });
  const document = (await (await fetch(`${server.adminUrl}/openapi.json`)).json()) as OpenapiDocument;
  const validator = createOpenapiValidator(document);
  const operation = document.paths['/inspect']!['post']!;
  const verdicts = new Set<string>();
  for (const user of ['u1', 'u7', 'u30', 'nobody at all', 'משתמש']) {
    const given = await server.ask(user);
    const { status, body } = await inspect(server.adminUrl, { userId: user, about, exclude: ['i011'] });
    t.equal(status, 200);
    t.same(validator.problemsOfAnswer(operation, { status, contentType: 'application/json', body }), []);
    const plain = await inspect(server.adminUrl, {
      userId: user,
      candidates: 'none',
      limit: given.items.length,
    });
    t.same(
      plain.body.slate.map(({ itemId }) => itemId),
      given.items,
    );
    t.equal(plain.body.candidates, undefined);
    for (const { verdict } of body.items) verdicts.add(verdict);
  }
  t.ok(
    ['shown', 'ranked_below', 'removed_by_rule', 'excluded', 'unknown_item'].every((one) =>
      verdicts.has(one),
    ),
  );
  const impressions = await server.stop();
  t.equal(impressions.length, 5, 'those of the answers, and none of an inspection');
});

t.test(
  'the bundle that is tried explains what it would answer; one that is not open is not asked',
  async (t) => {
    const server = await startExperimentServer(t, models, { canary });
    t.match(await inspect(server.adminUrl, { userId: 'u1', release: 'canary' }), {
      status: 200,
      body: { release: 'canary', bundle: second.manifest.version },
    });
    t.match(await inspect(server.adminUrl, { userId: 'u1' }), {
      status: 200,
      body: { release: 'stable', bundle: first.manifest.version },
    });
    t.match(await inspect(server.adminUrl, { userId: 'u1', release: 'shadow' }), {
      status: 400,
      body: { code: 'INVALID_REQUEST' },
    });
  },
);

t.test('two who ask at a time: one is answered, the other is told to come back', async (t) => {
  const server = await startExperimentServer(t, models);
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => inspect(server.adminUrl, { userId: 'u1', about })),
  );
  const statuses = answers.map(({ status }) => status);
  t.ok(
    statuses.includes(200) && statuses.every((status) => status === 200 || status === 503),
    statuses.join(),
  );
  t.ok(statuses.includes(503));
});
