import { literalMarkdown, visibleLines, visibleText } from '../../etl/visible-text';

const hostile = 'a\u001b[31mRED\u001b]0;pwn\u0007\u009b2J\u202e\u2066\u200f\u061c\u2028\u007f\r';

it('escapes what a terminal would obey, and nothing else', () => {
  expect(visibleText(hostile)).toBe(
    'a\\u001b[31mRED\\u001b]0;pwn\\u0007\\u009b2J\\u202e\\u2066\\u200f\\u061c\\u2028\\u007f\\u000d',
  );
  expect(visibleText('Größe 日本 👍 \\ "')).toBe('Größe 日本 👍 \\ "');
  expect(visibleText('a\nb')).toBe('a\\u000ab');
  expect(visibleLines('a\nb\u001b')).toBe('a\nb\\u001b');
});

it('escapes what nobody sees, what overlays other text, and halves of characters', () => {
  const unseen = [
    '\u00ad\u034f\u115f\u180e\u200b\u200c\u200d\u2060\u2064\u3164\ufe0f\ufeff\uffa0',
    '\ufff9\ufffa\ufffb',
    '\u{e0041}\u{e01ef}',
    'x\ud800',
    '\udc00x',
  ].join('-');
  const seen = visibleText(`a${unseen}b`);
  expect(seen).toMatch(/^[ -~]+$/);
  expect(JSON.parse(`"${seen}"`)).toBe(`a${unseen}b`);
  expect(visibleText('cluster-1\u200b')).toBe('cluster-1\\u200b');
  expect(visibleText('\u{e0041}')).toBe('\\udb40\\udc41');
  expect(visibleText('عربى עברית हिन्दी ไทย e\u0301 \u00a0👍🏽')).toBe('عربى עברית हिन्दी ไทย e\u0301 \u00a0👍🏽');
});

it('keeps the value of JSON', () => {
  const text = JSON.stringify({ [hostile]: hostile }, null, 2);
  expect(JSON.parse(visibleLines(text))).toEqual({ [hostile]: hostile });

  expect(visibleLines(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});

it.each([
  ['[x](javascript:y)', '\\[x\\](javascript:y)'],
  ['![i](http://h/i.png)', '!\\[i\\](http:\\//h/i.png)'],
  ['<img src=x>', '\\<img src=x\\>'],
  ['**b** _i_ `c` ~s~ a|b', '\\*\\*b\\*\\* \\_i\\_ \\`c\\` \\~s\\~ a\\|b'],
  ['https://h www.h.example &lt;', 'https:\\//h www\\.h.example \\&lt;'],
  ['\\[x](y)\u001b', '\\\\\\[x\\](y)\\\\u001b'],
  [
    'asked by kim@host: exclude cluster-3: wrong (since 1.2.)',
    'asked by kim@host: exclude cluster-3: wrong (since 1.2.)',
  ],
])('is literal in Markdown: %s', (text, shown) => {
  expect(literalMarkdown(text)).toBe(shown);
});
