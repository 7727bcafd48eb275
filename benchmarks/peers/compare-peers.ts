import { atLeast, atMost, type Goal } from '../serving/goals.js';
import { CONNECTIONS, type Peer, PEERS, RATES, type Round, type Turn } from './measure-peers.js';

/** A figure of each peer: the median over the rounds; null where no round has it. */
export interface Figure {
  readonly what: string;
  readonly values: Readonly<Record<Peer, number | null>>;
}

const TIMES_ANSWERS = 3.5;
const SHARE_OF_P50 = 0.7;

/** Answers per second of a closed loop, for each number of connections. */
export function listClosed(rounds: readonly Round[], which: 'closed' | 'otherClosed'): Figure[] {
  return CONNECTIONS.map((connections) =>
    toFigure(
      String(connections),
      rounds,
      (turn) => turn[which].find((each) => each.connections === connections)?.perSecond,
    ),
  );
}

/** Milliseconds of an open loop, for each rate: the median and the 99th percentile. */
export function listOpen(rounds: readonly Round[], which: 'open' | 'otherOpen'): Figure[] {
  return RATES.flatMap((rate) =>
    (['p50', 'p99'] as const).map((percentile) =>
      toFigure(`${rate}/s ${percentile}`, rounds, (turn) => readOpen(turn, which, { rate, percentile })),
    ),
  );
}

/**
 * Compares Shortlist, uncached, with the Python service: each ratio is of figures of one round, and the median of the rounds counts.
 * Saturated means the most that a closed loop got, whatever its connections.
 */
export function judgePeers(rounds: readonly Round[]): Goal[] {
  const ratio = (of: (turn: Turn) => number): number =>
    medianOf(rounds.map((round) => of(round.Shortlist) / of(round['Python service'])))!;
  return [
    atLeast(
      'saturated: answers per second, times those of the Python service',
      ratio(({ closed }) => Math.max(...closed.map(({ perSecond }) => perSecond))),
      TIMES_ANSWERS,
    ),
    ...RATES.map((rate) =>
      atMost(
        `${rate} requests per second: p50, times that of the Python service`,
        ratio((turn) => readOpen(turn, 'open', { rate, percentile: 'p50' }) ?? Number.NaN),
        SHARE_OF_P50,
      ),
    ),
  ];
}

/** How far the Python service gives the answers of Shortlist. */
export interface Agreement {
  readonly users: number;
  /** Mean number of the items of an answer of Shortlist that are in the answer of the service too. */
  readonly sharedItems: number;
  /** Users with the very same answer, in the very same order. */
  readonly sameAnswers: number;
}

/** Compares the answers of a round; `users` is 0 where there are none. */
export function compareAnswers(round: Round): Agreement {
  const pairs = round.Shortlist.answers.map(
    (answer, user) => [answer, round['Python service'].answers[user]!] as const,
  );
  const shared = pairs.reduce(
    (sum, [ours, theirs]) => sum + ours.filter((item) => theirs.includes(item)).length,
    0,
  );
  return {
    users: pairs.length,
    sharedItems: shared / pairs.length,
    sameAnswers: pairs.filter(([ours, theirs]) => ours.join() === theirs.join()).length,
  };
}

function readOpen(
  turn: Turn,
  which: 'open' | 'otherOpen',
  { rate, percentile }: { rate: number; percentile: 'p50' | 'p99' },
): number | undefined {
  return turn[which].find((each) => each.rate === rate)?.latencyMs?.[percentile];
}

function toFigure(what: string, rounds: readonly Round[], of: (turn: Turn) => number | undefined): Figure {
  const values = PEERS.map((peer) => {
    const found = rounds.map((round) => of(round[peer])).filter((value) => value !== undefined);
    return [peer, medianOf(found)] as const;
  });
  return { what, values: Object.fromEntries(values) as Figure['values'] };
}

/** Of an even number of values the mean of the two in the middle; null of none. */
function medianOf(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
