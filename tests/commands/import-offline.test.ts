import t from 'tap';
import { importOffline } from '../../src/commands/import-offline.js';

t.test('a part that is there is imported', async (t) => {
  const { SILENT_PROGRESS } = await importOffline(() => import('../../src/offline/progress/progress.js'));
  t.ok(SILENT_PROGRESS);
});

t.test('a serving installation says what it lacks', async (t) => {
  // What Node throws; the test runner's loader has an error of its own.
  const missing = Object.assign(new Error("Cannot find package '@duckdb/node-api'"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  const broken = importOffline(async () => {
    throw missing;
  });
  await t.rejects(broken, {
    code: 'INVALID_CONFIG',
    message: /can only serve.*optional dependencies/s,
    cause: missing,
  });
});

t.test('another failure of a part is not mistaken for that', async (t) => {
  const broken = importOffline(async () => {
    throw new TypeError('broken');
  });
  await t.rejects(broken, { message: 'broken' });
});
