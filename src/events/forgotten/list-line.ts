import { crc32 } from 'node:zlib';
import type { ForgottenEntry } from './forgotten-entries.js';

const LINE = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f]{64}) ([0-9a-f]{8})$/;

/** The line of an entry: its time, its digest, and the CRC-32 of both, so that a damaged line is no other user's. */
export function formatLine({ digest, at }: ForgottenEntry): string {
  const text = `${new Date(at).toISOString()} ${digest}`;
  return `${text} ${checksumOf(text)}`;
}

/** The entry of a line; undefined for one that is damaged, or none. */
export function parseLine(line: string): ForgottenEntry | undefined {
  const [, time, digest, checksum] = LINE.exec(line) ?? [];
  if (time === undefined || digest === undefined || checksum !== checksumOf(`${time} ${digest}`))
    return undefined;
  return { digest, at: Date.parse(time) };
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
