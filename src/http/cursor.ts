import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ShortlistError } from '../domain/errors.js';
import { hashId } from '../domain/id-table.js';
import type { Slate } from '../domain/slate.js';
import { keyOf } from '../domain/subject.js';
import type { RecommendationRequest } from '../pipeline/recommendation-request.js';

/** Items that a cursor remembers at most: pages end there. */
export const MOST_SHOWN = 500;

/** What the pages of one list have in common. */
type Origin = Pick<RecommendationRequest, 'subject' | 'scenario'>;

/**
 * Makes the cursor of the page after one that shows these items: what all pages so far have shown, as 32-bit hashes of the ids. It is of a
 * scenario, and of the user or, where there is none, of the session; nothing of it is a secret or signed, since it asks for nothing that
 * `exclude` could not. No bundle is in it, so that a swap ends no scrolling.
 * @returns base64url; undefined where the cursor would be too long
 */
export function writeCursor(
  { shown = [], ...origin }: Origin & Pick<RecommendationRequest, 'shown'>,
  items: readonly { readonly itemId: string }[],
): string | undefined {
  const hashes = [...shown, ...items.map(({ itemId }) => hashId(itemId))];
  if (hashes.length > MOST_SHOWN) return undefined;
  const bytes = Buffer.alloc(SHOWN_AT + hashes.length * HASH_BYTES + CHECKSUM_BYTES);
  describeOrigin(origin).copy(bytes);
  hashes.forEach((shownHash, at) => bytes.writeUInt32BE(shownHash, SHOWN_AT + at * HASH_BYTES));
  const end = bytes.length - CHECKSUM_BYTES;
  bytes.writeUInt32BE(crc32(bytes.subarray(0, end)), end);
  return bytes.toString('base64url');
}

/** The part of an answer that leads to the next page: empty where nothing is left, or the pages have shown all that a cursor holds. */
export function toNextCursor(
  asked: RecommendationRequest,
  { items, hasMore }: Pick<Slate, 'items' | 'hasMore'>,
): { nextCursor?: string } {
  const nextCursor = hasMore ? writeCursor(asked, items) : undefined;
  return nextCursor === undefined ? {} : { nextCursor };
}

/**
 * Reads what earlier pages have shown.
 * @returns hashes of ids, as `hashId` makes them
 * @throws ShortlistError INVALID_CURSOR for a text that `writeCursor` did not make, and for one of another scenario or subject
 */
export function readCursor(text: string, origin: Origin): readonly number[] {
  const bytes = Buffer.from(text, 'base64url');
  // What is no base64url is skipped where it is read.
  if (!isWhole(bytes) || bytes.toString('base64url') !== text) {
    refuse('The cursor is none that an answer had as `nextCursor`, or is not whole.');
  }
  const expected = describeOrigin(origin);
  if (!beginsWith(bytes, expected.subarray(0, SUBJECT_AT))) refuse('The cursor is of another scenario.');
  if (!beginsWith(bytes, expected)) refuse('The cursor is of another user or session.');
  const count = (bytes.length - LEAST_BYTES) / HASH_BYTES;
  return Array.from({ length: count }, (_, at) => bytes.readUInt32BE(SHOWN_AT + at * HASH_BYTES));
}

function refuse(problem: string): never {
  throw new ShortlistError('INVALID_CURSOR', `${problem} Ask without one to begin anew.`);
}

/** Format, hash of the scenario, digest of the subject, hashes of what was shown, CRC-32 of all before it. */
const FORMAT = 1;
const SCENARIO_AT = 1;
const SUBJECT_AT = 5;
const SHOWN_AT = 13;
const HASH_BYTES = 4;
const CHECKSUM_BYTES = 4;
const LEAST_BYTES = SHOWN_AT + CHECKSUM_BYTES;

function describeOrigin({ subject, scenario }: Origin): Buffer {
  const head = Buffer.alloc(SHOWN_AT);
  head.writeUInt8(FORMAT);
  head.writeUInt32BE(hashId(scenario), SCENARIO_AT);
  // A session is a secret, so that no hash that can be undone stands for it.
  hash('sha256', keyOf(subject), 'buffer').copy(head, SUBJECT_AT, 0, SHOWN_AT - SUBJECT_AT);
  return head;
}

function isWhole(bytes: Buffer): boolean {
  const shownBytes = bytes.length - LEAST_BYTES;
  if (
    bytes[0] !== FORMAT ||
    shownBytes < 0 ||
    shownBytes % HASH_BYTES !== 0 ||
    shownBytes > MOST_SHOWN * HASH_BYTES
  )
    return false;
  const end = bytes.length - CHECKSUM_BYTES;
  return bytes.readUInt32BE(end) === crc32(bytes.subarray(0, end));
}

function beginsWith(bytes: Buffer, beginning: Buffer): boolean {
  return bytes.subarray(0, beginning.length).equals(beginning);
}
