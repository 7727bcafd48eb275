import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes what the production dependencies of the working directory's lock file are, as CycloneDX JSON; works offline.
 * With --installed only those that are in node_modules: what an image holds. What is bundled into the page of the explorer ships too, and is
 * in no node_modules then.
 *
 *     node .ci/write-sbom.js dist/sbom.json [--installed]
 */
const BUNDLED = ['node_modules/preact', 'node_modules/uplot'];

const [file, flag] = process.argv.slice(2);
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const shipped = listShipped(lock.packages, flag === '--installed');
const bom = keepShipped(askNpm(), shipped);
bom.metadata.component.name = lock.name;
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(bom, undefined, 2)}\n`);
process.stdout.write(`${bom.components.length} components in ${file}\n`);

/** Licences by `name@version`. */
function listShipped(packages, onlyInstalled) {
  const kept = Object.entries(packages).filter(
    ([path, { dev }]) =>
      BUNDLED.includes(path) || (path !== '' && dev !== true && (!onlyInstalled || existsSync(path))),
  );
  return new Map(
    kept.map(([path, { version, license }]) => [`${path.split('node_modules/').at(-1)}@${version}`, license]),
  );
}

/** Everything, for development too: `--omit dev` (npm 11.19) leaves out what production and development both need. */
function askNpm() {
  const options = ['--sbom-format=cyclonedx', '--sbom-type=application', '--package-lock-only'];
  const { stdout, stderr, status } = spawnSync('npm', ['sbom', ...options], {
    encoding: 'utf8',
    maxBuffer: 64e6,
  });
  if (status !== 0) throw new Error(`npm sbom failed: ${stderr}${stdout}`);
  return JSON.parse(stdout);
}

function keepShipped(bom, shipped) {
  const isKept = (reference) => shipped.has(reference) || reference === bom.metadata.component['bom-ref'];
  return {
    ...bom,
    components: bom.components
      .filter((component) => shipped.has(component['bom-ref']))
      .map((component) => addLicence(component, shipped.get(component['bom-ref']))),
    dependencies: bom.dependencies
      .filter(({ ref }) => isKept(ref))
      .map((dependency) => ({ ...dependency, dependsOn: dependency.dependsOn.filter(isKept) })),
  };
}

/** npm leaves out a licence that is not SPDX; its own words are better than nothing. */
function addLicence(component, license) {
  return component.licenses === undefined && license !== undefined
    ? { ...component, licenses: [{ license: { name: license } }] }
    : component;
}
