import { visibleLines, visibleText } from '../../etl/visible-text';

const hostile = 'a\u001b[31mRED\u001b]0;pwn\u0007\u009b2J\u202e\u2066\u200f\u061c\u2028\u007f\r';

it('escapes what a terminal would obey, and nothing else', () => {
  expect(visibleText(hostile)).toBe(
    'a\\u001b[31mRED\\u001b]0;pwn\\u0007\\u009b2J\\u202e\\u2066\\u200f\\u061c\\u2028\\u007f\\u000d',
  );
  expect(visibleText('Größe 日本 👍 \\ "')).toBe('Größe 日本 👍 \\ "');
  expect(visibleText('a\nb')).toBe('a\\u000ab');
  expect(visibleLines('a\nb\u001b')).toBe('a\nb\\u001b');
});

it('keeps the value of JSON', () => {
  const text = JSON.stringify({ [hostile]: hostile }, null, 2);
  expect(JSON.parse(visibleLines(text))).toEqual({ [hostile]: hostile });

  expect(visibleLines(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});
