import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type CommandBlock, findMissingLine, readPage } from './read-page.js';

export interface FollowOptions {
  /** Empty folder in which the page is followed. */
  readonly workplace: string;
  /** Folder for the blocks and what they print. */
  readonly records: string;
  readonly env: NodeJS.ProcessEnv;
  /** After so long everything that the page started is ended, and the block under way is the problem. */
  readonly timeoutMs: number;
  /** Told of each block that ended well. */
  readonly onBlock?: (block: CommandBlock, milliseconds: number) => void;
}

/** What became of following a page. */
export interface Followed {
  /** Blocks that ran to their end and printed what the page shows. */
  readonly done: number;
  /** What went wrong, after the page and its line: `operations.md:12: …`. */
  readonly problem: string | undefined;
  /** Whether something that the page started still ran when its last command was over; it is ended. */
  readonly leftRunning: boolean;
}

/**
 * Runs the `sh` blocks of a page in order in one bash, as a person would type them, but that it stops at the first command that fails,
 * at a variable that is not set, and at output that the page shows and the commands do not print.
 */
export async function followPage(page: string, options: FollowOptions): Promise<Followed> {
  const blocks = readPage(await readFile(page, 'utf8')).filter(({ notRun }) => notRun === undefined);
  const places = await Promise.all(blocks.map((block) => writeBlock(block, page, options.records)));
  const { shell, exited } = await startShell(places, options);
  const timer = setTimeout(() => endGroup(shell.pid!), options.timeoutMs);
  let problem: string | undefined;
  let done = 0;
  let begun = performance.now();
  // It says a line for each block that ended well, and waits for one before it begins the next.
  for await (const _ of createInterface({ input: shell.stdout })) {
    const [block, { printed }] = [blocks[done]!, places[done]!];
    const said = await readFile(printed, 'utf8');
    const missing = findMissingLine(said, block.output);
    if (missing !== undefined) {
      problem = `${basename(page)}:${missing.line}: not printed: ${missing.text}\n${said.slice(-4000)}`;
      break;
    }
    done++;
    options.onBlock?.(block, performance.now() - begun);
    begun = performance.now();
    shell.stdin.write('go on\n');
  }
  shell.stdin.end();
  const code = await exited;
  clearTimeout(timer);
  const leftRunning = endGroup(shell.pid!);
  if (problem === undefined && done < blocks.length)
    problem = await describeFailure(page, { block: blocks[done]!, place: places[done]!, code });
  return { done, problem, leftRunning };
}

interface BlockPlace {
  readonly source: string;
  readonly printed: string;
  /** Gets the number of the line at which a command failed. */
  readonly stopped: string;
}

/** In a group of its own, so that what the page leaves running can be ended, and nothing else is. */
async function startShell(places: readonly BlockPlace[], { workplace, records, env }: FollowOptions) {
  const driver = join(records, 'driver.sh');
  await writeFile(driver, renderDriver(places));
  const shell = spawn('bash', [driver], {
    cwd: workplace,
    env,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  // It may be gone when it is told to go on.
  shell.stdin.on('error', () => {});
  const exited = once(shell, 'exit').then(([code]) => code as number | null);
  return { shell, exited };
}

/** A block as a file in which every command has the number of its line on the page, so that what bash says names that. */
async function writeBlock(
  { line, commands }: CommandBlock,
  page: string,
  records: string,
): Promise<BlockPlace> {
  const folder = join(records, String(line));
  await mkdir(folder, { recursive: true });
  const place = {
    source: join(folder, basename(page)),
    printed: join(folder, 'printed.txt'),
    stopped: join(folder, 'stopped.txt'),
  };
  await writeFile(place.source, `${'\n'.repeat(line - 1)}${commands.join('\n')}\n`);
  await writeFile(place.printed, '');
  await writeFile(place.stopped, '');
  return place;
}

/** What the page starts gets neither of the two channels to us: a server that held one would keep it open. */
function renderDriver(places: readonly BlockPlace[]): string {
  const head = ['exec 3>&1 4<&0 >/dev/null </dev/null', 'set -Eeuo pipefail'];
  const steps = places.flatMap(({ source, printed, stopped }) => [
    `trap 'echo "$LINENO" >> "${stopped}"' ERR`,
    `source '${source}' > '${printed}' 2>&1 3>&- 4<&-`,
    'trap - ERR',
    'echo done >&3',
    'read -r _ <&4 || exit 0',
  ]);
  return [...head, ...steps, ''].join('\n');
}

async function describeFailure(
  page: string,
  failed: { block: CommandBlock; place: BlockPlace; code: number | null },
): Promise<string> {
  const printed = await readFile(failed.place.printed, 'utf8');
  const stopped = (await readFile(failed.place.stopped, 'utf8')).split('\n')[0];
  // Where bash itself gave up, as at a variable that is not set, no command has failed.
  const refused = [...printed.matchAll(new RegExp(`${basename(page)}: line (\\d+):`, 'g'))].at(-1)?.[1];
  const line = stopped || refused || failed.block.line;
  const how = failed.code === null ? 'was ended, for it took too long' : `ended with ${failed.code}`;
  return `${basename(page)}:${line}: ${how}: ${printed.slice(-2000)}`;
}

/** Ends what is left of a group of processes; false when nothing was. */
function endGroup(pid: number): boolean {
  try {
    return process.kill(-pid, 'SIGKILL');
  } catch {
    return false;
  }
}
