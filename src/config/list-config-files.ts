import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a folder that holds one kind of config. */
export interface ConfigFiles {
  /** Names of the files that are read, `<name>.yaml`, in order. */
  readonly files: string[];
  /** A sentence for each file that looks like one of the kind and is not read. */
  readonly problems: string[];
}

/**
 * Lists the files of a folder of configs; none where there is no such folder. Names that begin with a dot are not looked at: a mounted
 * ConfigMap keeps its files twice, under such names too.
 * @param what one of the kind, for messages: `a scenario`
 */
export function listConfigFiles(dir: string, what: string): ConfigFiles {
  const names = existsSync(dir) ? readdirSync(dir).sort() : [];
  const unread = names.filter((name) => !name.startsWith('.')).flatMap((name) => listUnread(dir, name));
  return {
    files: names.filter((name) => name.endsWith(ENDING)),
    problems: unread.map(
      (name) => `${join(dir, name)} is not read: ${what} is a file <name>${ENDING} in ${dir}`,
    ),
  };
}

const ENDING = '.yaml';

/** Any way to write the ending. */
const YAML = /\.ya?ml$/i;

/** Files that look like configs at a name of the folder and are none: the one of that name, or those in the folder of that name. */
function listUnread(dir: string, name: string): string[] {
  const path = join(dir, name);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    const inside = readdirSync(path, { recursive: true, encoding: 'utf8' }).sort();
    return inside.filter((file) => YAML.test(file)).map((file) => join(name, file));
  }
  return YAML.test(name) && !name.endsWith(ENDING) ? [name] : [];
}
