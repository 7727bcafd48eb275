/** There is no answer: time ran out, or the connection failed (`cause` says how; a browser also says so of an answer that CORS hides). */
export class ShortlistUnreachable extends Error {
  override readonly name = 'ShortlistUnreachable';
  readonly reason: 'timeout' | 'connection';

  constructor(reason: ShortlistUnreachable['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
