import { listSettings } from './list-settings.js';

/** Variables that begin with `SHORTLIST` and are no setting of the server. */
const OTHERS = [
  'SHORTLIST_ENV',
  // The key that `shortlist load-test` sends.
  'SHORTLIST_API_KEY',
  // Set by the supervisor for its processes.
  'SHORTLIST_PROCESS_PLACE',
  // Where docs/operations.md clones from.
  'SHORTLIST_SOURCE',
];

/** What Kubernetes adds to every container for a Service whose name begins with `shortlist`. */
const OF_A_SERVICE =
  /^SHORTLIST(_[A-Z0-9_]+)?_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;

/**
 * Names each variable that begins with `SHORTLIST`, in any case, and that nothing reads, with the known one nearest to it. Its value is not
 * shown: it may be a secret.
 */
export function findUnknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set([...OTHERS, ...listSettings().map(({ schema }) => schema.variable)]);
  return Object.entries(env)
    .filter(([name, value]) => value && /^shortlist[^a-z0-9]/i.test(name) && !known.has(name))
    .filter(([name, value]) => !isOfService(name, value!))
    .map(
      ([name]) =>
        `${name}: no setting has this variable; the nearest is ${findNearest(name)}. Correct it, or unset it.`,
    );
}

function isOfService(name: string, value: string): boolean {
  return OF_A_SERVICE.test(name) || (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value));
}

interface Known {
  readonly shown: string;
  readonly spellings: readonly string[];
}

function findNearest(name: string): string {
  const distances = listKnown().map(({ shown, spellings }) => ({
    shown,
    distance: Math.min(...spellings.map((spelling) => compareNames(simplify(name), simplify(spelling)))),
  }));
  return distances.reduce((best, next) => (next.distance < best.distance ? next : best)).shown;
}

/** A setting may be meant by its variable or by its path: `SHORTLIST_AUTH_MODE` is `auth.mode`, whose variable is `SHORTLIST_AUTH`. */
function listKnown(): Known[] {
  const settings = listSettings().map(({ group, key, schema: { variable } }) => ({
    shown:
      variable === undefined
        ? `${group}.${key}, which has no variable and stands in a file of configs/`
        : `${variable} (${group}.${key})`,
    spellings: [`${group}${key}`, ...(variable === undefined ? [] : [variable])],
  }));
  return [...settings, ...OTHERS.slice(0, 2).map((name) => ({ shown: name, spellings: [name] }))];
}

function simplify(name: string): string {
  return name
    .toUpperCase()
    .replace(/^SHORTLIST/, '')
    .replace(/[^A-Z0-9]/g, '');
}

/** Edits from one to the other. A name that goes on after a known one is nearer than most edits tell: the longer the known one, the nearer. */
function compareNames(name: string, known: string): number {
  const edits = countEdits(name, known);
  return name.startsWith(known) ? Math.min(edits, 2 - known.length / 100) : edits;
}

/** Levenshtein's distance. */
function countEdits(from: string, to: string): number {
  let above = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = above[column - 1]! + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[to.length]!;
}
