/**
 * How many machines serve how much: a model over what was measured, which prints its plan. It knows one kind of machine and one
 * kind of bundle; docs/scaling.md says what it rests on, and what it leaves out.
 * Usage: capacity-plan.js --users 1000000 --items 100000 --rate 1000
 */
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '1000000' },
    items: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '1000' },
    /** Interactions in a history. */
    history: { type: 'string', default: '30' },
    /** Answers per second and core that `make bench` sustained, with all that has to share the core. */
    'rate-per-core': { type: 'string', default: '900' },
    cores: { type: 'string', default: '8' },
    gigabytes: { type: 'string', default: '64' },
    /** Share of what is sustained that a machine should be run at. */
    load: { type: 'string', default: '0.6' },
  },
});
const given = Object.fromEntries(
  Object.entries(values).map(([name, text]) => [name, readAmount(name, text)]),
) as Record<keyof typeof values, number>;

/** Bytes that a server holds for each, in memory that its threads share unless it says otherwise. */
const BYTES = {
  /** Item, time and value of an interaction. */
  interaction: 4 + 8 + 4,
  /** Id with its place in the index, and 8 fields. */
  user: 60 + 8 * 4,
  /** Id, titles and attributes, 12 fields, 64 factors, and 200 neighbours of two kinds. */
  item: 300 + 12 * 4 + 64 * 4 + 2 * 200 * 8,
  /** Factors as each thread lays them out for itself. */
  itemPerThread: 64 * 4,
};
/** The process without a bundle. */
const PROCESS_BYTES = 250e6;
/** The new bundle stands beside the old one while it is swapped in. */
const SWAP = 2;

const { users, items, rate, history, cores, gigabytes, load } = given;
const userBytes = SWAP * users * (BYTES.user + history * BYTES.interaction);
const itemBytes = SWAP * items * (BYTES.item + cores * BYTES.itemPerThread) + PROCESS_BYTES;
const forUsers = 1e9 * gigabytes - itemBytes;
const partitions = Math.ceil(userBytes / forUsers);
const forRate = Math.ceil(rate / (given['rate-per-core'] * cores * load));

print(
  `${count(users)} users × ${count(items)} items, ${count(rate)} requests/s, machines of ${cores} cores and ${gigabytes} GB`,
);
print(
  `- memory of one server with all of it, during a swap: ${gb(itemBytes + userBytes)}, of which items ${gb(itemBytes)}`,
);
if (forUsers <= 0) print(`- the items alone do not fit: take machines of more than ${gb(itemBytes)}`);
else {
  print(
    partitions === 1
      ? '- it fits one machine: every machine serves every user'
      : `- it does not fit one machine: ${partitions} partitions of the users, each with a bundle of its own`,
  );
  print(`- for the rate: ${forRate} at ${Math.round(100 * load)} % of what a machine sustains`);
  print(`- machines: ${Math.max(forRate, 2 * partitions)}, at least two for each partition`);
}
if (items > 1e6) print('- above a million items, search a graph or ask a vector engine (docs/retrieval.md)');

function readAmount(name: string, text: string): number {
  const amount = Number(text);
  if (Number.isFinite(amount) && amount > 0) return amount;
  throw new RangeError(`--${name} is ${JSON.stringify(text)}, allowed is a number above 0`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function count(amount: number): string {
  return amount.toLocaleString('en');
}

function gb(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
