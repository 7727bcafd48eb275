import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

/**
 * Checks that package.json, the client's, CHANGELOG.md, the OpenAPI document and the tags of the working directory agree on what is
 * released; prints every problem and exits with 1 when they do not. docs/releasing.md tells why.
 */
const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-[\w.]+)?$/;
const HEADING = /^## \[(.+?)\](?: - (\S+))?$/gm;

const version = readJson('package.json').version;
const tags = git('tag', '--points-at', 'HEAD', '--list', 'v*').split('\n').filter(Boolean);
const problems = [...checkPackages(), ...checkChangelog(), ...checkTags(), ...checkInterface()];
for (const problem of problems) process.stderr.write(`${problem}\n`);
const api = readJson('client/openapi.json').info.version;
if (problems.length === 0) {
  const released = tags.length > 0 ? `tagged ${tags.join(', ')}` : 'not tagged';
  process.stdout.write(`Version ${version} (${released}), API ${api}: all agree.\n`);
}
process.exitCode = problems.length > 0 ? 1 : 0;

function checkPackages() {
  const client = readJson('client/package.json').version;
  const locked = readJson('package-lock.json');
  return [
    ...(VERSION.test(version) ? [] : [`package.json: ${version} is no SemVer version.`]),
    ...(client === version ? [] : [`client/package.json has ${client}, package.json ${version}.`]),
    ...(locked.version === version
      ? []
      : [`package-lock.json has ${locked.version}, package.json ${version}.`]),
  ];
}

function checkChangelog() {
  const headings = readHeadings();
  if (headings.length === 0)
    return tags.length > 0 ? ['CHANGELOG.md has no version, only what is unreleased.'] : [];
  const [{ name, date }] = headings;
  return [
    ...(name === version
      ? []
      : [`The newest version of CHANGELOG.md is ${name}, that of package.json ${version}.`]),
    ...(/^\d{4}-\d{2}-\d{2}$/.test(date ?? '') ? [] : [`CHANGELOG.md: ${name} has no date (YYYY-MM-DD).`]),
  ];
}

/** The versions of the changelog, newest first. */
function readHeadings() {
  const all = [...readFileSync('CHANGELOG.md', 'utf8').matchAll(HEADING)];
  return all.map(([, name, date]) => ({ name, date })).filter(({ name }) => name !== 'Unreleased');
}

function checkTags() {
  const wrong = tags.filter((tag) => tag !== `v${version}`);
  const [, unreleased = ''] =
    /^## \[Unreleased\]$([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(readFileSync('CHANGELOG.md', 'utf8')) ?? [];
  return [
    ...wrong.map((tag) => `HEAD has the tag ${tag}, package.json ${version}.`),
    ...(tags.length > 0 && /^- /m.test(unreleased)
      ? ['HEAD has a tag, and CHANGELOG.md has lines that are unreleased.']
      : []),
  ];
}

/** The document's version is that of the HTTP API: it moves with the document, and its major number moves that of the program. */
function checkInterface() {
  const before = findPrevious();
  if (before === undefined) return [];
  const now = readJson('client/openapi.json');
  const moved = now.info.version !== before.document.info.version;
  const isSame = isDeepStrictEqual(withoutVersion(now), withoutVersion(before.document));
  const broke = major(now.info.version) > major(before.document.info.version);
  return [
    ...(moved || isSame
      ? []
      : [
          `The API changed since ${before.tag}; API_VERSION of src/http/openapi.ts is still ${now.info.version}.`,
        ]),
    ...(broke && !isBreaking(before.tag.slice(1), version)
      ? [
          `The API is ${now.info.version}, which breaks clients; ${version} after ${before.tag} does not say so.`,
        ]
      : []),
  ];
}

/** The newest release before this commit, with its OpenAPI document. */
function findPrevious() {
  const others = tags.flatMap((tag) => ['--exclude', tag]);
  const tag = git('describe', '--tags', '--abbrev=0', '--match', 'v[0-9]*', ...others, 'HEAD');
  const text = tag === '' ? '' : git('show', `${tag}:client/openapi.json`);
  return text === '' ? undefined : { tag, document: JSON.parse(text) };
}

function withoutVersion(document) {
  return { ...document, info: { ...document.info, version: undefined } };
}

/** Before 1.0.0 a breaking change moves the second number. */
function isBreaking(from, to) {
  const [, fromMajor, fromMinor] = VERSION.exec(from) ?? [];
  const [, toMajor, toMinor] = VERSION.exec(to) ?? [];
  if (toMajor !== fromMajor) return Number(toMajor) > Number(fromMajor);
  return toMajor === '0' && Number(toMinor) > Number(fromMinor);
}

function major(version) {
  return Number(version.split('.')[0]);
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** What git prints; nothing when it fails, as it does where no tag is. */
function git(...argv) {
  const { stdout, status } = spawnSync('git', argv, { encoding: 'utf8', maxBuffer: 64e6 });
  return status === 0 ? stdout.trim() : '';
}
