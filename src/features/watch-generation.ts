import type { FeatureView } from './feature-view.js';
import type { RedisClient } from './redis-connection.js';
import { parseGeneration, type RedisKeys } from './redis-keys.js';
import type { RowCodec } from './row-codec.js';

/**
 * Why a user without a row may be one whose row is not there: no generation is in service (none was loaded, or Redis lost it), the one in
 * service is of other fields, or rows of it are gone (evicted, expired, deleted).
 */
export type GenerationFault = 'none' | 'other_schema' | 'incomplete';

/** Is told which views of Redis are whole; it must not throw. */
export interface GenerationObserver {
  /** What is wrong with the generation in service is another thing, or nothing any more; told once at the first look, too. */
  generationChanged(view: string, fault: GenerationFault | undefined): void;
}

/** Knows which generation of a view is in service, and whether all of it is there. */
export interface GenerationWatch {
  /** The one last seen in service: its rows may be asked for together with the pointer, in the hope that it still is. */
  generation(): string | undefined;
  /** Takes what the pointer holds. */
  enter(pointer: Buffer | undefined): void;
  /** What is wrong, for somebody who has no row; undefined when nothing is. It never rejects. */
  findFault(): Promise<GenerationFault | undefined>;
}

/** Whether a generation is whole is looked at again after so long, when an id has no row. */
const LOOK_AGAIN_MS = 5000;

/** Watches one view; only `findFault` looks whether the generation is whole, and at most every 5 seconds. */
export function watchGeneration(
  view: FeatureView,
  client: RedisClient,
  { keys, codec, observer }: { keys: RedisKeys; codec: RowCodec; observer: GenerationObserver },
): GenerationWatch {
  let generation: string | undefined;
  let fault: GenerationFault | undefined;
  let told = false;
  /** When the generation was last looked at, on the clock of `performance.now()`, and the look that is under way. */
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  function tell(found: GenerationFault | undefined): void {
    if (told && found === fault) return;
    told = true;
    fault = found;
    observer.generationChanged(view.name, fault);
  }

  /** What the pointer says; a generation that was whole or incomplete stays so until it is looked at again. */
  function enter(pointer: Buffer | undefined): void {
    const pointed = parseGeneration(pointer);
    const next = pointed?.schema === codec.schema ? pointed.name : undefined;
    const isOther = next !== generation;
    generation = next;
    if (next === undefined) tell(pointed === undefined ? 'none' : 'other_schema');
    else if (isOther || !told) {
      lookedAt = Number.NEGATIVE_INFINITY;
      tell(undefined);
    }
  }

  /** Looks for the rows that a whole generation has; a look that fails says nothing. */
  async function look(looked: string): Promise<void> {
    try {
      const known = await client.get(keys.witnesses(looked));
      const ids = known === null ? undefined : (JSON.parse(known) as string[]);
      const found = await Promise.all((ids ?? []).map((id) => client.exists(keys.loaded(looked, id))));
      if (looked === generation) tell(ids === undefined || found.includes(0) ? 'incomplete' : undefined);
    } catch {
      return;
    }
  }

  /** Once in a while, for all that ask meanwhile. */
  async function lookAgain(): Promise<void> {
    if (generation === undefined || performance.now() - lookedAt < LOOK_AGAIN_MS) return looking;
    lookedAt = performance.now();
    looking = look(generation).finally(() => (looking = undefined));
    return looking;
  }

  return {
    generation: () => generation,
    enter,
    findFault: async () => {
      await lookAgain();
      return fault;
    },
  };
}
