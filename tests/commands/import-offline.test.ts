import t from 'tap';
import { importOffline } from '../../src/commands/import-offline.js';

t.test('a part that is there is imported', async (t) => {
  const { SILENT_PROGRESS } = await importOffline(() => import('../../src/offline/progress.js'));
  t.ok(SILENT_PROGRESS);
});

t.test('a serving installation says what it lacks', async (t) => {
  const missing = 'a-library-that-is-not-installed';
  await t.rejects(
    importOffline(() => import(missing)),
    { code: 'INVALID_CONFIG', message: /can only serve.*optional dependencies/s },
  );
});

t.test('another failure of a part is not mistaken for that', async (t) => {
  const broken = importOffline(async () => {
    throw new TypeError('broken');
  });
  await t.rejects(broken, { message: 'broken' });
});
