/** Words of column and file names, in small letters: `customerId`, `Customer ID` and `customer_id` are `customer`, `id`. */
export function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
    .flatMap((word) => {
      const [, noun] = /^(\p{L}{3,})id$/u.exec(word) ?? [];
      return noun === undefined ? [word] : [noun, 'id'];
    });
}

const ID_WORDS = new Set([
  'id',
  'ids',
  'key',
  'code',
  'no',
  'nr',
  'number',
  'num',
  'uuid',
  'guid',
  'hash',
  'sk',
]);

/** Who chooses, the likeliest first. */
const USER_NOUNS = [
  ...[
    'user',
    'customer',
    'client',
    'member',
    'account',
    'buyer',
    'shopper',
    'person',
    'profile',
    'subscriber',
    'reader',
  ],
  ...[
    'viewer',
    'listener',
    'player',
    'student',
    'patient',
    'reviewer',
    'visitor',
    'device',
    'session',
    'uid',
    'usr',
    'cust',
    'household',
    'author',
  ],
];

/** What is chosen, the likeliest first. */
const ITEM_NOUNS = [
  ...[
    'item',
    'product',
    'article',
    'sku',
    'asin',
    'isbn',
    'ean',
    'gtin',
    'movie',
    'film',
    'show',
    'video',
    'book',
    'song',
  ],
  ...[
    'track',
    'artist',
    'album',
    'podcast',
    'episode',
    'content',
    'asset',
    'post',
    'news',
    'story',
    'document',
    'doc',
  ],
  ...[
    'listing',
    'offer',
    'ad',
    'recipe',
    'dish',
    'game',
    'app',
    'course',
    'job',
    'place',
    'business',
    'restaurant',
    'hotel',
  ],
  ...['venue', 'event', 'property', 'anime', 'beer', 'wine', 'joke', 'iid', 'variant', 'stock'],
];

const TIME_WORDS = new Set([
  'timestamp',
  'time',
  'date',
  'datetime',
  'ts',
  'at',
  'when',
  'day',
  'created',
  'epoch',
  'unixtime',
  ...['zeit', 'zeitpunkt', 'zeitstempel', 'fecha', 'hora', 'jour', 'heure', 'horodatage', 'dato', 'tijd'],
]);
const VALUE_WORDS = new Set([
  'rating',
  'ratings',
  'stars',
  'star',
  'score',
  'value',
  'quantity',
  'qty',
  'count',
  'plays',
  'playcount',
  'weight',
  'overall',
  'clicks',
  'hours',
]);
const TYPE_NAMES = new Set([
  'type',
  'event',
  'event type',
  'action',
  'action type',
  'interaction',
  'interaction type',
  'behavior',
  'behaviour',
  'behavior type',
]);
const TEXT_WORDS = new Set([
  'title',
  'name',
  'description',
  'summary',
  'text',
  'headline',
  'url',
  'link',
  'image',
  'img',
  'picture',
  'poster',
  'thumbnail',
  'email',
  'address',
  'phone',
]);

/** Likelihood that a column of this name holds the ids of users, 0 to 1. */
export function userNameScore(name: string): number {
  return nounScore(name, USER_NOUNS);
}

/** Likelihood that a column of this name holds the ids of items, 0 to 1. */
export function itemNameScore(name: string): number {
  return nounScore(name, ITEM_NOUNS);
}

/** The noun with or without a word for id behind it; earlier nouns score more. */
function nounScore(name: string, nouns: readonly string[]): number {
  const words = wordsOf(name);
  const [noun, idWord, ...rest] = words;
  if (noun === undefined || rest.length > 0 || (idWord !== undefined && !ID_WORDS.has(idWord))) return 0;
  const place = nouns.indexOf(noun.length > 3 ? noun.replace(/s$/, '') : noun);
  const found = place < 0 ? nouns.indexOf(noun) : place;
  return found < 0 ? 0 : 1 - found / 100;
}

/** True for the name of a time: `ordered_at`, `purchased_on`, `order date`. */
export function isTimeName(name: string): boolean {
  const words = wordsOf(name);
  return (
    words.some((word) => TIME_WORDS.has(word) || word.endsWith('datum')) ||
    (words.length > 1 && words.at(-1) === 'on')
  );
}

/** Beginnings of words for what a user does; a time of it is the time of an interaction. */
const ACT =
  /^(event|order|bestell|kauf|achat|compra|purchas|buy|bought|click|view|rating|rated|review|visit|watch|play|listen|stream|transact|sale|sold|paid|pay|invoice|action|interact|session|checkout|borrow|loan|rent|booked|booking|reserv|vote|liked)/;
/** Beginnings of words for the time of a row, whatever it is of. */
const RECORD = /^(time|ts$|datetime|creat|unix|epoch|occur|happen|when$)/;
/** Beginnings of words for what happens before or after an interaction, or to someone else. */
const OTHER_ACT =
  /^(birth|born|geburt|naiss|nacim|liefer|versand|livrais|dob$|releas|publi|launch|sign|regist|join|enrol|subscri|member|ship|dispatch|deliver|return|refund|cancel|updat|modif|chang|edit|expir|valid|due$|deadline|estimat|expect|approv|delet|archiv|load|ingest|import|export|extract|sync|start|end$|ended|last|first)/;

/** Ranks a time by its name: 0 is most likely the time of an interaction, 3 the time of something else. */
export function timeNameRank(name: string): 0 | 1 | 2 | 3 {
  const words = wordsOf(name);
  const says = (pattern: RegExp): boolean => words.some((word) => pattern.test(word));
  if (says(OTHER_ACT)) return 3;
  if (says(ACT)) return 0;
  return says(RECORD) ? 1 : 2;
}

/** True for the name of a column that may say how much an interaction is worth: `rating`, `quantity`. */
export function isValueName(name: string): boolean {
  return wordsOf(name).some((word) => VALUE_WORDS.has(word));
}

/** True for the name of a column that says which kind of interaction a row is: `event_type`, `action`. */
export function isTypeName(name: string): boolean {
  return TYPE_NAMES.has(wordsOf(name).join(' '));
}

/** True for the name of a column of words to show or read, not to group by: `title`, `description`. */
export function isTextName(name: string): boolean {
  return wordsOf(name).some((word) => TEXT_WORDS.has(word));
}

/** True for the name of an id, of whatever kind. */
export function isIdName(name: string): boolean {
  return wordsOf(name).some((word) => ID_WORDS.has(word));
}

/** A name as an SQL expression needs it. */
export function sqlName(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !KEYWORDS.has(name.toLowerCase())
    ? name
    : `"${name.replaceAll('"', '""')}"`;
}

const KEYWORDS = new Set([
  ...[
    'all',
    'and',
    'any',
    'as',
    'asc',
    'both',
    'case',
    'cast',
    'check',
    'column',
    'create',
    'default',
    'desc',
    'distinct',
    'do',
  ],
  ...[
    'else',
    'end',
    'except',
    'false',
    'fetch',
    'for',
    'foreign',
    'from',
    'grant',
    'group',
    'having',
    'in',
    'initially',
    'into',
  ],
  ...[
    'lateral',
    'leading',
    'like',
    'limit',
    'not',
    'null',
    'offset',
    'on',
    'only',
    'or',
    'order',
    'primary',
    'references',
  ],
  ...[
    'select',
    'some',
    'table',
    'then',
    'to',
    'true',
    'union',
    'unique',
    'user',
    'using',
    'when',
    'where',
    'window',
    'with',
  ],
]);

/** A name for a column of the config: letters, digits and underscores. */
export function configName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  const words = wordsOf(name).map((word) => word.normalize('NFKD').replaceAll(/[^a-z0-9]/g, ''));
  const joined = words.filter((word) => word !== '').join('_');
  return /^[a-z_]/.test(joined) ? joined : `column_${joined}`;
}
