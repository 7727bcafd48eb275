import { InvalidArgumentError } from 'commander';

/** Makes a parser of an option that is a whole number, in up to nine digits; it throws InvalidArgumentError, saying what is allowed. */
export function parseCount({ from, to }: { from: number; to?: number }): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d{1,9}$/.test(text) && count >= from && count <= (to ?? count)) return count;
    const range = to === undefined ? `from ${from}` : `from ${from} to ${to}`;
    throw new InvalidArgumentError(`Allowed is an integer ${range}.`);
  };
}
