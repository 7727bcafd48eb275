import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Teardown } from './redis-server.js';

/** What a network, or what answers in place of a server, does to a connection. Without any of it the proxy forwards. */
export interface Faults {
  /** Every chunk of the server arrives so much later. */
  readonly latencyMs?: number;
  /** The server's bytes arrive at this rate. */
  readonly bytesPerSecond?: number;
  /** The server's bytes arrive so many at a time. */
  readonly sliceBytes?: number;
  /** Nothing arrives on either side until the faults change. */
  readonly blackHole?: boolean;
  /** The answer to whatever is asked, in place of the server's. */
  readonly reply?: Buffer;
  /** Connections are reset, open ones and new ones. */
  readonly reset?: boolean;
}

/** A real listener before a real server, whose faults can be changed while connections are open. */
export interface FaultProxy {
  readonly port: number;
  /** Replaces the faults, also of open connections. */
  inject(faults: Faults): void;
  /** Names of the Redis commands that clients have sent so far, in lower case. */
  readonly commands: readonly string[];
  /** How often a client has spoken: first, or after an answer. */
  readonly roundTrips: number;
}

/** @param target port of the server on the loopback */
export async function startFaultProxy(t: Teardown, target: number): Promise<FaultProxy> {
  const commands: string[] = [];
  const sockets = new Set<Socket>();
  let faults: Faults = {};
  let roundTrips = 0;
  let changed = createSignal();

  async function toServer(chunk: Buffer, server: Socket, client: Socket): Promise<void> {
    while (faults.blackHole === true) await changed.given;
    if (faults.reply === undefined) server.write(chunk);
    else client.write(faults.reply);
  }

  async function toClient(chunk: Buffer, client: Socket, arrivedAt: number): Promise<void> {
    while (faults.blackHole === true) await changed.given;
    const { latencyMs, bytesPerSecond, sliceBytes } = faults;
    if (latencyMs !== undefined) await wait(Math.max(0, arrivedAt + latencyMs - performance.now()));
    const step = sliceBytes ?? (bytesPerSecond === undefined ? chunk.length : Math.ceil(bytesPerSecond / 50));
    for (let at = 0; at < chunk.length && !client.destroyed; at += step) {
      client.write(chunk.subarray(at, at + step));
      await (bytesPerSecond === undefined ? turn() : wait(20));
    }
  }

  function serve(client: Socket): void {
    const server = connect(target, '127.0.0.1');
    let answered = true;
    client.setNoDelay(true);
    pump(client, server, (chunk) => {
      for (const [, name] of chunk.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n/g)) {
        commands.push(name!.toLowerCase());
      }
      if (answered) roundTrips++;
      answered = false;
      return toServer(chunk, server, client);
    });
    pump(server, client, (chunk, arrivedAt) => {
      answered = true;
      return toClient(chunk, client, arrivedAt);
    });
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    if (faults.reset === true) client.resetAndDestroy();
  }

  const listener = createServer(serve).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  t.teardown(() => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (listener.address() as AddressInfo).port,
    commands,
    get roundTrips() {
      return roundTrips;
    },
    inject: (next) => {
      faults = next;
      const before = changed;
      changed = createSignal();
      before.give();
      if (next.reset === true) for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}

function createSignal(): { given: Promise<void>; give(): void } {
  let give = (): void => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give };
}

/** Hands chunks on one after another, and a side's end to the other side. */
function pump(from: Socket, to: Socket, deliver: (chunk: Buffer, arrivedAt: number) => Promise<void>): void {
  let tail = Promise.resolve();
  from.on('data', (chunk: Buffer) => {
    const delivered = deliver.bind(undefined, chunk, performance.now());
    tail = tail.then(delivered);
  });
  from.on('close', () => to.destroy());
}
