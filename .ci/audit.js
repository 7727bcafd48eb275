import { spawnSync } from 'node:child_process';

/**
 * Asks the registry which production dependencies have known vulnerabilities; exits with 1 for a high or critical one. A registry
 * that cannot answer (offline, a mirror without that service) is a warning: it says nothing of the code.
 */
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' });
const counts = readCounts(stdout);
if (counts === undefined) {
  process.stderr.write('WARNING: the registry cannot tell of vulnerabilities; nothing is known of them.\n');
} else {
  const list = Object.entries(counts).map(([severity, count]) => `${count} ${severity}`);
  process.stdout.write(`Known vulnerabilities of production dependencies: ${list.join(', ')}\n`);
  process.exitCode = counts.high + counts.critical > 0 ? 1 : 0;
}

function readCounts(text) {
  try {
    return JSON.parse(text).metadata?.vulnerabilities;
  } catch {
    return undefined;
  }
}
