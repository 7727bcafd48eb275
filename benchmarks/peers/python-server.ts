import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort, stopServer, waitUntilServes } from '../serving/bench-server.js';

/** A server that runs. */
export interface PeerServer {
  readonly url: URL;
  stop(): Promise<void>;
}

/** What the service is and what it needs; programs run from the top of the repository. */
const SOURCES = 'benchmarks/peers';
const WORKERS = 2;
const SHOWN = ['fastapi', 'uvicorn', 'faiss-cpu', 'onnxruntime', 'numpy'];
const execute = promisify(execFile);

/**
 * Makes a virtual environment with the packages of `requirements.txt`, unless the folder has one of these very packages.
 *
 * @param python 3.11 or newer
 * @returns its interpreter
 */
export async function installPython(folder: string, python: string): Promise<string> {
  const interpreter = resolve(folder, 'bin/python');
  const requirements = join(SOURCES, 'requirements.txt');
  const installed = join(folder, 'requirements.txt');
  const wanted = await readFile(requirements, 'utf8');
  if ((await readFile(installed, 'utf8').catch(() => '')) === wanted) return interpreter;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await execute(python, ['-m', 'venv', folder]).catch((cause: unknown) => {
    throw new Error(`${python} makes no virtual environment: name a Python of 3.11 or newer with --python`, {
      cause,
    });
  });
  await execute(interpreter, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]);
  await writeFile(installed, wanted);
  return interpreter;
}

/** Python and the packages that the service is made of, with their versions. */
export async function listPythonVersions(interpreter: string): Promise<string[]> {
  const { stdout: python } = await execute(interpreter, ['--version']);
  const { stdout: packages } = await execute(interpreter, ['-m', 'pip', 'freeze']);
  const shown = packages.split('\n').filter((line) => SHOWN.includes(line.split('==')[0]!));
  return [python.trim(), ...shown.map((line) => line.replace('==', ' '))];
}

/**
 * Starts the service and waits until all its processes serve.
 *
 * @param options.users the file that `exportUsers` wrote
 * @throws Error with what it wrote, when it ends before it serves
 */
export async function startPythonServer(
  interpreter: string,
  { bundleFolder, users }: { bundleFolder: string; users: string },
): Promise<PeerServer> {
  const port = await findFreePort();
  const options = {
    'app-dir': SOURCES,
    host: '127.0.0.1',
    port,
    workers: WORKERS,
    loop: 'uvloop',
    http: 'httptools',
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = spawn(interpreter, ['-m', 'uvicorn', 'python_service:app', '--no-access-log', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      PEER_BUNDLE: resolve(bundleFolder),
      PEER_USERS: resolve(users),
      PYTHONDONTWRITEBYTECODE: '1',
    },
  });
  await waitUntilServes(server, new RegExp(`(startup complete[^]*){${WORKERS}}`));
  return { url: new URL(`http://127.0.0.1:${port}`), stop: () => stopServer(server) };
}
