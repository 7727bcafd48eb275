import { createHash } from 'node:crypto';
import type { Engine } from '../../src/pipeline/engine.js';
import { recommend } from '../../src/pipeline/recommend.js';

/**
 * The sha256 of what every known user is answered: the items of the slate with their scores, and the candidates with their fusion scores
 * and ranks. Two builds with the same digest answer the same, bit for bit.
 */
export async function digestAnswers(engine: Engine, scenario: string): Promise<string> {
  const hash = createHash('sha256');
  for (let user = 0; user < engine.users.size; user++) {
    const { slate, candidates } = await recommend(
      {
        subject: { userId: engine.users.idAt(user) },
        scenario,
        limit: 50,
        exclude: [],
        filters: [],
        explain: 'none',
      },
      engine,
    );
    hash.update(JSON.stringify(slate.items.map(({ itemId, score }) => [itemId, score])));
    for (const column of [candidates.items, candidates.fusionScores, candidates.ranks]) hash.update(column);
  }
  return hash.digest('hex');
}
