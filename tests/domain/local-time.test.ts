import t from 'tap';
import { createLocalClock, isTimeZone } from '../../src/domain/local-time.js';

const at = (time: string): number => Date.parse(time) / 1000;

t.test('in UTC the first second of 1970 is hour 0 of a Thursday', async (t) => {
  const clock = createLocalClock('UTC');
  t.same(clock(0), { hour: 0, weekday: 4 });
  t.same(clock(at('2024-03-31T23:59:59.5Z')), { hour: 23, weekday: 7 });
  t.same(clock(at('2024-04-01T00:00:00Z')), { hour: 0, weekday: 1 });
  t.same(clock(-1), { hour: 23, weekday: 3 }, 'before 1970 too');
});

t.test('a time zone has its own hours, days and summer time', async (t) => {
  const berlin = createLocalClock('Europe/Berlin');
  t.same(berlin(at('2024-03-31T00:59:59Z')), { hour: 1, weekday: 7 });
  t.same(berlin(at('2024-03-31T01:00:00Z')), { hour: 3, weekday: 7 }, 'the hour that is left out');
  t.same(berlin(at('2024-06-30T22:00:00Z')), { hour: 0, weekday: 1 }, 'Monday begins before it does in UTC');
  t.same(createLocalClock('America/New_York')(at('2024-01-01T03:00:00Z')), { hour: 22, weekday: 7 });
});

t.test('zones need not be whole hours away', async (t) => {
  t.equal(createLocalClock('Asia/Kolkata')(at('2024-01-01T00:30:00Z')).hour, 6);
  t.equal(createLocalClock('America/St_Johns')(at('2024-01-01T00:15:00Z')).hour, 20);
  const lordHowe = createLocalClock('Australia/Lord_Howe');
  t.same([lordHowe(at('2024-10-05T15:29:00Z')).hour, lordHowe(at('2024-10-05T15:30:00Z')).hour], [1, 2]);
});

t.test('it agrees with the calendar of Intl all over a year', async (t) => {
  for (const timeZone of ['Europe/London', 'Australia/Adelaide', 'America/Sao_Paulo']) {
    const clock = createLocalClock(timeZone);
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hour: '2-digit',
      hourCycle: 'h23',
      weekday: 'short',
    });
    const days = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
    for (let time = at('2023-01-01T00:20:00Z'); time < at('2024-01-01T00:00:00Z'); time += 7 * 3600) {
      const parts = format.formatToParts(time * 1000);
      const part = (type: string): string => parts.find((part) => part.type === type)!.value;
      const expected = { hour: Number(part('hour')), weekday: days.indexOf(part('weekday')) + 1 };
      const found = clock(time);
      if (found.hour !== expected.hour || found.weekday !== expected.weekday) t.same(found, expected);
    }
  }
});

t.test('a name that is no time zone is known to be none', async (t) => {
  t.equal(isTimeZone('Europe/Berlin'), true);
  t.equal(isTimeZone('UTC'), true);
  t.equal(isTimeZone('Europe/Bielefeld'), false);
  t.throws(() => createLocalClock('Europe/Bielefeld'), RangeError);
});
