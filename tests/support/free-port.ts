import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what Linux and macOS give to outgoing connections and to port 0, so that nobody is given it before its user listens; above what browsers refuse. */
const LOWEST = 10_240;
const BEYOND = 32_768;
const ATTEMPTS = 100;

/** A port of this machine that nobody listens at. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST, BEYOND);
    if (await isFree(port)) return port;
  }
  throw new Error(`${ATTEMPTS} ports from ${LOWEST} to ${BEYOND} are taken.`);
}

async function isFree(port: number): Promise<boolean> {
  const listener = createServer().listen(port, '127.0.0.1');
  try {
    await once(listener, 'listening');
  } catch {
    return false;
  }
  listener.close();
  await once(listener, 'close');
  return true;
}
