import type { Redis } from 'ioredis';
import type { UserEvent } from '../../domain/event.js';
import {
  answerWithin,
  createNodeFinder,
  isRedisFault,
  reconnect,
  type RedisClient,
} from '../../features/redis-connection.js';
import { digestOfEvent } from '../event-key.js';
import { createSyncGuards, type Reply, type SyncGuards } from './durability.js';
import { type EventKeys, streamOf } from './event-keys.js';
import { keepCommand, type StreamWrite } from './keep-script.js';
import { describeRedisFault, type RedisEventFault } from './redis-event-fault.js';
import { packEvent } from './stream-entry.js';

/** The events of one request, with what is written of each. */
export interface PackedRequest {
  readonly events: readonly UserEvent[];
  readonly writes: readonly (StreamWrite & { readonly stream: number })[];
}

/** What became of the events of one request. */
export interface Written {
  /** In their order: 1 for each that was written, 0 for one that was known. */
  readonly kept: Uint8Array;
  /** Why some were not written. */
  fault?: RedisEventFault;
  /** Why some are, as far as Redis says, in its memory only. */
  loss?: RedisEventFault;
}

/** Writes events to the streams. */
export interface LogWriter {
  /** Writes what waits, by one round trip to each server that has any of it, and a sync of its disk. */
  write(requests: readonly PackedRequest[]): Promise<readonly Written[]>;
  /** Asks servers again what they can do. */
  forget(): void;
}

/** Options of `createLogWriter`. */
export interface LogWriterOptions {
  readonly keys: EventKeys;
  /** How long a server has to write. */
  readonly answerMs: number;
  /** How long it then has to sync its disk. */
  readonly syncTimeoutMs: number;
  /** The id of an event is known for so long, at least. */
  readonly knownDays: number;
}

/** Events of one script, for which Redis does nothing else: about a millisecond. */
const SCRIPT_EVENTS = 200;

/** What is written of the events of a request. @throws TypeError for what is no event */
export function packRequest(events: readonly UserEvent[], keys: EventKeys): PackedRequest {
  const writes = events.map((event) => {
    const stream = streamOf(event);
    const digest = digestOfEvent(event);
    return { stream, entry: packEvent(event), id: digest && keys.ids(stream, digest) };
  });
  return { events, writes };
}

/** Writes over the connections of a client, and waits for the disks of its servers. */
export function createLogWriter(client: RedisClient, options: LogWriterOptions): LogWriter {
  const guards = createSyncGuards({ syncTimeoutMs: options.syncTimeoutMs });
  const findNode = createNodeFinder(client);
  return {
    write: async (requests) => {
      const written = requests.map(({ writes }): Written => ({ kept: new Uint8Array(writes.length) }));
      const scripts = listScripts(requests, written);
      const byNode = new Map<Redis, Script[]>();
      for (const script of scripts) {
        try {
          const node = await findNode(options.keys.streams[script.stream]!);
          byNode.set(node, [...(byNode.get(node) ?? []), script]);
        } catch (error) {
          if (!isRedisFault(error)) throw error;
          blame(script, describeRedisFault(error));
        }
      }
      await Promise.all(Array.from(byNode, ([node, own]) => writeTo(node, own, { ...options, guards })));
      return written;
    },
    forget: () => guards.forget(),
  };
}

/** Events of one stream, which one script writes. */
interface Script {
  readonly stream: number;
  readonly events: ScriptEvent[];
}

interface ScriptEvent {
  readonly write: StreamWrite;
  readonly written: Written;
  /** Among the events of its request. */
  readonly place: number;
}

/** The events of each stream in the order in which they were told. */
function listScripts(requests: readonly PackedRequest[], written: readonly Written[]): Script[] {
  const scripts: Script[] = [];
  const open = new Map<number, Script>();
  for (const [index, { writes }] of requests.entries()) {
    for (const [place, write] of writes.entries()) {
      let script = open.get(write.stream);
      if (script === undefined || script.events.length === SCRIPT_EVENTS) {
        script = { stream: write.stream, events: [] };
        scripts.push(script);
        open.set(write.stream, script);
      }
      script.events.push({ write, written: written[index]!, place });
    }
  }
  return scripts;
}

function blame(script: Script, fault: RedisEventFault): void {
  for (const { written } of script.events) written.fault ??= fault;
}

type Writing = LogWriterOptions & { readonly guards: SyncGuards };

/** Never rejects for what Redis does. */
async function writeTo(
  node: Redis,
  scripts: readonly Script[],
  { keys, ...writing }: Writing,
): Promise<void> {
  const { guards, answerMs, knownDays } = writing;
  try {
    const guard = await answerWithin(answerMs, guards.find(node));
    const commands = scripts.map(({ stream, events }) => {
      const key = keys.streams[stream]!;
      const writes = events.map(({ write }) => write);
      return keepCommand([key, keys.closing(key)], writes, { knownDays });
    });
    // Sent one right after the other: what is written is answered before the disk is waited for, so that a server that hangs shows soon.
    const writes = node.pipeline(commands).exec() as Promise<Reply[]>;
    const syncing = node.pipeline([...guard.commands]).exec() as Promise<Reply[]>;
    syncing.catch(() => undefined);
    const replies = await answerWithin(answerMs, writes);
    for (const [index, [error, reply]] of replies.entries()) enter(scripts[index]!, error, reply);
    const loss = guard.judge(await syncing);
    if (loss === undefined) return;
    for (const { written } of scripts.flatMap(({ events }) => events)) written.loss ??= loss;
  } catch (error) {
    if (!isRedisFault(error)) throw error;
    for (const script of scripts) blame(script, describeRedisFault(error));
    reconnect(node);
  }
}

function enter(script: Script, error: Error | null, reply: unknown): void {
  if (error !== null) return blame(script, describeRedisFault(error));
  for (const [index, { written, place }] of script.events.entries())
    written.kept[place] = (reply as string)[index] === '1' ? 1 : 0;
}
