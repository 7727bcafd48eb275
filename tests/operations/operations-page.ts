import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join, relative } from 'node:path';
import t from 'tap';
import { parse, stringify } from 'yaml';
import { REPOSITORY } from '../docs/markdown-pages.js';
import { createUserFolder, findObstacle, run, withoutTestRunner } from '../package/user-folder.js';
import { followPage } from './follow-page.js';

/** What is made in a checkout and is not part of it. */
const MADE =
  /^(\.git|\.tap|node_modules|runtime\/(node_modules|fetching)|dist|build|data|client\/(dist|node_modules)|models\/(?!README))/;

const user = await createUserFolder(t, {});
const obstacle = await findObstacle(user);

t.test(
  'who follows docs/operations.md gets from an empty folder to production and back',
  obstacle,
  async (t) => {
    const [workplace, records] = [join(user.path, 'person'), join(user.path, 'records')];
    await mkdir(workplace);
    await mkdir(records);
    const followed = await followPage('docs/operations.md', {
      workplace,
      records,
      // The variables that the page itself reads, and npm's cache.
      env: {
        ...withoutTestRunner(process.env),
        npm_config_prefer_offline: 'true',
        SHORTLIST_SOURCE: await writeSource(join(user.path, 'source')),
        LOAD_PROFILE: await writeProfile(join(records, 'patient.yaml')),
        ...(await findPorts()),
      },
      timeoutMs: 900_000,
      onBlock: ({ line, commands }, milliseconds) => {
        t.pass(`docs/operations.md:${line}: ${commands[0]} (${(milliseconds / 1000).toFixed(1)} s)`);
      },
    });
    t.equal(followed.problem, undefined);
    t.equal(followed.leftRunning, false, 'it leaves nothing running');
  },
);

/** What is in this checkout now, committed or not, as a repository that git can clone. */
async function writeSource(folder: string): Promise<string> {
  await cp(REPOSITORY, folder, {
    recursive: true,
    filter: (path) => !MADE.test(relative(REPOSITORY, path)),
  });
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
  for (const step of [
    ['init', '--quiet'],
    ['add', '.'],
    ['commit', '--quiet', '--message', 'now'],
  ]) {
    const env = withoutTestRunner(process.env);
    const { code, errors } = await run('git', [...identity, ...step], { cwd: folder, env });
    if (code !== 0) throw new Error(`git ${step.join(' ')} failed: ${errors}`);
  }
  return folder;
}

/** The profile `smoke`, shorter and without judging the machine: how fast it is today is not what is tested. */
async function writeProfile(file: string): Promise<string> {
  const smoke = parse(await readFile('configs/load/smoke.yaml', 'utf8')) as { thresholds: object };
  const patient = {
    ...smoke,
    stages: [{ rate: 10, seconds: 10 }],
    timeoutMs: 10_000,
    thresholds: { ...smoke.thresholds, p99Ms: 10_000, degradedShare: 1 },
    maxLatenessMs: 10_000,
  };
  await writeFile(file, stringify(patient));
  return file;
}

async function findPorts(): Promise<Record<string, string>> {
  const names = ['STAGING_PORT', 'STAGING_ADMIN_PORT', 'PRODUCTION_PORT', 'PRODUCTION_ADMIN_PORT'];
  const listeners = names.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(listeners.map((listener) => once(listener, 'listening')));
  const ports = listeners.map((listener) => String((listener.address() as AddressInfo).port));
  for (const listener of listeners) listener.close();
  return Object.fromEntries(names.map((name, index) => [name, ports[index]!]));
}
