/** The characters that cut the text of a CSV file into records and values. */
export interface CsvDialect {
  /** One character, or several. */
  readonly delimiter: string;
  /** Empty when nothing quotes. */
  readonly quote: string;
  /** What stands before a quote inside of quotes; RFC 4180 doubles the quote. */
  readonly escape: string;
  /** What begins a comment; empty when nothing does. */
  readonly comment: string;
  /** Lines before the header or the first row. */
  readonly skip: number;
  /** Latin-1: each byte is a character. Else UTF-8. */
  readonly isLatin: boolean;
}

/** A record that does not fit: its position among the records of the file, from 0, and why. */
export interface Misfit {
  readonly record: number;
  readonly why: string;
}

/** The findings of a scan of a whole CSV file under one dialect. */
export interface CsvScan {
  readonly dialect: CsvDialect;
  /** The values of the first records, the header included. */
  readonly first: readonly (readonly string[])[];
  /** How many values the first record has. */
  readonly width: number;
  /** The header included. Blank lines are no records, unless a record has a single value. */
  readonly records: number;
  /** UTF-8 bytes of all values, unquoted: those of the first record, and those of the others. */
  readonly valueBytes: { readonly first: number; readonly others: number };
  readonly longestRecordBytes: number;
  /** Blank lines before the first record. */
  readonly leadingBlankLines: number;
  /** Whether a value in quotes holds LF or CR. */
  readonly hasQuotedLineEnds: boolean;
  readonly lineEnds: { readonly lf: number; readonly crlf: number; readonly cr: number };
  /** The first record that a CR without LF ends. */
  readonly firstLoneCr: number;
  /** The first records that do not fit. */
  readonly misfits: readonly Misfit[];
  /** All of them. */
  readonly misfitCount: number;
}

/** The number of values that the records of a CSV file must have. */
export interface CsvShape {
  /** How many values a record must have; by default as many as the first. */
  readonly width?: number | undefined;
  /** Whether a record may have fewer. */
  readonly mayBeShort?: boolean | undefined;
}

/** Records whose values are kept, up to so many bytes: a header is told by them. */
const KEPT_RECORDS = 20;
const KEPT_BYTES = 100_000;
const NAMED_MISFITS = 10;

const LF = 10;
const CR = 13;
const BLANK = 32;
const BACKSLASH = 92;
const NONE = -1;

const VALUE_START = 0;
const LEADING_BLANKS = 1;
const UNQUOTED = 2;
const QUOTED = 3;
const ESCAPED = 4;
/** After a quote that closes the value, unless a quote follows. */
const CLOSED = 5;
const TRAILING_BLANKS = 6;
const COMMENT = 7;
const SKIPPED_LINE = 8;

/**
 * Cuts the text of a CSV file into records as RFC 4180 says: quotes hold delimiters and line ends, and nothing is skipped. A line ends in LF, CR LF
 * or CR. Blanks around a quoted value do not count, and neither does a delimiter at the end of a line. Text without a byte order mark goes in by
 * `push`, in chunks.
 */
export class CsvScanner {
  private readonly delimiter: Buffer;
  private readonly delimiterStart: number;
  private readonly quote: number;
  private readonly escape: number;
  private readonly comment: number;
  /** 1 for each byte that may end a run of an unquoted value. */
  private readonly stops = new Uint8Array(256);

  private state: number;
  private linesToSkip: number;
  private isAfterCr = false;
  /** The end of a chunk that may be the beginning of a delimiter. */
  private held: Buffer = Buffer.alloc(0);
  /** Blanks before a value that may be quoted, and those that turned out to be of the value. */
  private blanks = 0;
  private leadingBlanks = 0;
  private isBackslashBefore = false;
  private why: string | undefined;

  private records = 0;
  private values = 0;
  private expected: number;
  private firstWidth: number | undefined;
  private bytesOfRecord = 0;
  private bytesOfValue = 0;
  private readonly valueBytes = { first: 0, others: 0 };
  private longestRecordBytes = 0;
  private leadingBlankLines = 0;
  private hasQuotedLineEnds = false;
  private readonly lineEnds = { lf: 0, crlf: 0, cr: 0 };
  private firstLoneCr = 0;
  private misfitCount = 0;
  private readonly misfits: Misfit[] = [];

  private isKeeping = true;
  private keptBytes = 0;
  private readonly first: string[][] = [];
  private keptValues: string[] = [];
  private keptParts: Buffer[] = [];

  constructor(
    private readonly dialect: CsvDialect,
    private readonly shape: CsvShape = {},
  ) {
    this.delimiter = Buffer.from(dialect.delimiter, dialect.isLatin ? 'latin1' : 'utf8');
    this.delimiterStart = this.delimiter[0]!;
    this.quote = codeOf(dialect.quote);
    this.escape = codeOf(dialect.escape);
    this.comment = codeOf(dialect.comment);
    for (const byte of [LF, CR, this.delimiterStart, this.comment]) if (byte !== NONE) this.stops[byte] = 1;
    this.state = dialect.skip > 0 ? SKIPPED_LINE : VALUE_START;
    this.linesToSkip = dialect.skip;
    this.expected = shape.width ?? 0;
  }

  /** How many values the first record has, once it has been read. */
  get width(): number | undefined {
    return this.firstWidth;
  }

  push(chunk: Buffer): void {
    const bytes = this.held.length === 0 ? chunk : Buffer.concat([this.held, chunk]);
    // A delimiter of several bytes may lie across two chunks.
    const used = this.scan(bytes, Math.max(0, bytes.length - (this.delimiter.length - 1)));
    this.held = bytes.subarray(used);
  }

  end(): CsvScan {
    this.scan(this.held, this.held.length);
    if (this.isAfterCr) this.noteLoneCr();
    if (this.state === QUOTED || this.state === ESCAPED) this.why ??= 'a quote opens and is never closed';
    if (this.state === LEADING_BLANKS) this.takeBlanks();
    const isOpen = this.values > 0 || this.bytesOfRecord > 0;
    if (isOpen && this.state !== COMMENT) {
      this.endValue();
      this.endRecord();
    }
    const { dialect, first, records, valueBytes, longestRecordBytes, leadingBlankLines } = this;
    const { hasQuotedLineEnds, lineEnds, firstLoneCr, misfits, misfitCount } = this;
    return {
      dialect,
      first,
      width: this.firstWidth ?? 0,
      records,
      valueBytes,
      longestRecordBytes,
      leadingBlankLines,
      hasQuotedLineEnds,
      lineEnds,
      firstLoneCr,
      misfits,
      misfitCount,
    };
  }

  /** Goes up to `end`; returns how many bytes are done with, which may be more by a delimiter. */
  private scan(bytes: Buffer, end: number): number {
    let at = 0;
    while (at < end) {
      if (this.isAfterCr) {
        this.isAfterCr = false;
        if (bytes[at] === LF) {
          this.lineEnds.crlf++;
          at++;
          continue;
        }
        this.noteLoneCr();
      }
      at = this.step(bytes, at, end);
    }
    return at;
  }

  /** One run of bytes that are alike; returns where the next one begins. */
  private step(bytes: Buffer, at: number, end: number): number {
    switch (this.state) {
      case UNQUOTED:
        return this.inValue(bytes, at, end);
      case QUOTED:
        return this.inQuotes(bytes, at, end);
      case ESCAPED:
        return this.takeEscaped(bytes, at);
      case CLOSED:
      case TRAILING_BLANKS:
        return this.afterQuotes(bytes, at);
      case COMMENT:
      case SKIPPED_LINE:
        return this.inIgnoredLine(bytes, at, end);
      default:
        return this.beforeValue(bytes[at]!, at);
    }
  }

  private beforeValue(byte: number, at: number): number {
    if (byte === this.quote) {
      this.bytesOfRecord++;
      this.blanks = 0;
      this.isBackslashBefore = false;
      this.state = QUOTED;
      return at + 1;
    }
    if (byte === BLANK && this.delimiterStart !== BLANK) {
      this.blanks++;
      this.state = LEADING_BLANKS;
      return at + 1;
    }
    this.takeBlanks();
    this.state = UNQUOTED;
    return at;
  }

  private inValue(bytes: Buffer, at: number, end: number): number {
    const { stops } = this;
    let to = at;
    while (to < end && stops[bytes[to]!] === 0) to++;
    if (to > at) this.take(bytes, at, to);
    if (to === end) return to;
    const next = this.stop(bytes, to);
    // The first byte of a longer delimiter, by itself.
    if (next === to) this.take(bytes, to, to + 1);
    return Math.max(next, to + 1);
  }

  private inQuotes(bytes: Buffer, at: number, end: number): number {
    const { quote, escape } = this;
    let to = at;
    for (; to < end && bytes[to] !== quote && bytes[to] !== escape; to++)
      if (bytes[to] === LF || bytes[to] === CR) this.hasQuotedLineEnds = true;
    if (to > at) {
      this.take(bytes, at, to);
      this.isBackslashBefore = bytes[to - 1] === BACKSLASH;
    }
    if (to === end) return to;
    this.bytesOfRecord++;
    this.state = bytes[to] === quote ? CLOSED : ESCAPED;
    return to + 1;
  }

  private takeEscaped(bytes: Buffer, at: number): number {
    this.take(bytes, at, at + 1);
    this.isBackslashBefore = false;
    this.state = QUOTED;
    return at + 1;
  }

  private afterQuotes(bytes: Buffer, at: number): number {
    const byte = bytes[at]!;
    if (this.state === CLOSED && byte === this.quote && this.escape === this.quote)
      return this.takeEscaped(bytes, at);
    if (byte === BLANK && this.delimiterStart !== BLANK) {
      this.bytesOfRecord++;
      this.state = TRAILING_BLANKS;
      return at + 1;
    }
    const next = this.stop(bytes, at);
    if (next === at) {
      const hint = this.isBackslashBefore
        ? String.raw` (are quotes written as \" there? then say escape = '\')`
        : '';
      this.why ??= `a quoted value goes on after its closing quote${hint}`;
      this.state = UNQUOTED;
    }
    return next;
  }

  private inIgnoredLine(bytes: Buffer, at: number, end: number): number {
    let to = at;
    while (to < end && bytes[to] !== LF && bytes[to] !== CR) to++;
    if (to === end) return to;
    if (bytes[to] === LF) this.lineEnds.lf++;
    this.isAfterCr = bytes[to] === CR;
    if (this.linesToSkip > 0) this.linesToSkip--;
    if (this.linesToSkip === 0) this.state = VALUE_START;
    return to + 1;
  }

  /** What may follow a value: a delimiter, a line end, a comment. Returns `at` when it is none of them. */
  private stop(bytes: Buffer, at: number): number {
    const byte = bytes[at]!;
    const isQuoted = this.state === CLOSED || this.state === TRAILING_BLANKS;
    if (byte === LF || byte === CR) {
      if (byte === LF) this.lineEnds.lf++;
      this.isAfterCr = byte === CR;
      this.endLine(isQuoted);
      return at + 1;
    }
    if (this.isDelimiter(bytes, at)) {
      this.bytesOfRecord += this.delimiter.length;
      this.endValue();
      this.bytesOfValue = 0;
      return at + this.delimiter.length;
    }
    if (byte !== this.comment) return at;
    // A comment from the beginning of a line leaves nothing of the line.
    const isWholeLine = this.values === 0 && !isQuoted && this.bytesOfRecord === this.leadingBlanks;
    if (isWholeLine) this.beginRecord();
    else this.endLine(isQuoted);
    this.state = COMMENT;
    return at + 1;
  }

  private isDelimiter(bytes: Buffer, at: number): boolean {
    const { delimiter } = this;
    if (bytes[at] !== this.delimiterStart) return false;
    return delimiter.length === 1 || delimiter.equals(bytes.subarray(at, at + delimiter.length));
  }

  private takeBlanks(): void {
    this.leadingBlanks = this.blanks;
    if (this.blanks > 0) this.take(Buffer.alloc(this.blanks, BLANK), 0, this.blanks);
    this.blanks = 0;
  }

  private take(bytes: Buffer, from: number, to: number): void {
    this.bytesOfRecord += to - from;
    this.bytesOfValue += to - from;
    if (this.dialect.isLatin) for (let at = from; at < to; at++) if (bytes[at]! > 127) this.bytesOfValue++;
    if (!this.isKeeping) return;
    this.keptBytes += to - from;
    this.keptParts.push(Buffer.from(bytes.subarray(from, to)));
  }

  private endValue(): void {
    this.values++;
    if (this.records === 0) this.valueBytes.first += this.bytesOfValue;
    else this.valueBytes.others += this.bytesOfValue;
    if (this.isKeeping) {
      const encoding = this.dialect.isLatin ? 'latin1' : 'utf8';
      this.keptValues.push(Buffer.concat(this.keptParts).toString(encoding));
      this.keptParts = [];
    }
    this.state = VALUE_START;
  }

  /** @param isQuoted whether the line is more than nothing, though its value may be empty */
  private endLine(isQuoted: boolean): void {
    const isBlank = this.values === 0 && this.bytesOfRecord === 0 && !isQuoted;
    if (isBlank && (this.records === 0 || this.expected > 1)) {
      if (this.records === 0) this.leadingBlankLines++;
      this.beginRecord();
      return;
    }
    this.endValue();
    this.endRecord();
  }

  private endRecord(): void {
    const { values, shape } = this;
    this.firstWidth ??= values;
    if (this.expected === 0) this.expected = values;
    const { expected } = this;
    const isShort = values < expected && shape.mayBeShort !== true;
    // The delimiter at the end of a line stands before a value that nobody wrote.
    const isLong = values > expected && !(values === expected + 1 && this.bytesOfValue === 0);
    if (isShort || isLong) this.why ??= `has ${values} ${values === 1 ? 'value' : 'values'}, not ${expected}`;
    if (this.why !== undefined) {
      this.misfitCount++;
      if (this.misfits.length < NAMED_MISFITS) this.misfits.push({ record: this.records, why: this.why });
    }
    this.longestRecordBytes = Math.max(this.longestRecordBytes, this.bytesOfRecord);
    if (this.isKeeping) {
      this.first.push(this.keptValues);
      this.isKeeping = this.first.length < KEPT_RECORDS && this.keptBytes < KEPT_BYTES;
    }
    this.records++;
    this.beginRecord();
  }

  private beginRecord(): void {
    this.values = 0;
    this.bytesOfRecord = 0;
    this.bytesOfValue = 0;
    this.why = undefined;
    this.keptValues = [];
    this.keptParts = [];
    this.state = VALUE_START;
  }

  private noteLoneCr(): void {
    if (this.lineEnds.cr === 0) this.firstLoneCr = Math.max(0, this.records - 1);
    this.lineEnds.cr++;
  }
}

function codeOf(character: string): number {
  return character === '' ? NONE : character.charCodeAt(0);
}
