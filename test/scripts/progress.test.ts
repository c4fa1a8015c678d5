import { PassThrough } from 'node:stream';
import { showProgress } from '../../scripts/progress';

function collect(update: (progress: ReturnType<typeof showProgress>) => void): string[] {
  const said: string[] = [];
  const stream = new PassThrough() as unknown as NodeJS.WriteStream;
  using progress = showProgress('export', { say: (line) => said.push(line), stream });
  update(progress);
  return said;
}

describe('progress without a terminal', () => {
  it('is one line per tenth', () => {
    const said = collect((progress) => {
      for (let done = 0; done <= 100; done++) progress.update(done, 100);
    });
    expect(said).toHaveLength(10);
    expect(said[0]).toBe('export: 10 of 100 windows');
    expect(said[9]).toBe('export: 100 of 100 windows');
  });

  it('is one line per phase, without numbers if there is nothing to count', () => {
    const said = collect((progress) => {
      progress.update(0, 0, 'planning');
      progress.update(0, 0, 'planning');
      progress.update(0, 4, 'merging');
      progress.update(4, 4, 'merging');
    });
    expect(said).toEqual([
      'export planning',
      'export merging: 0 of 4 windows',
      'export merging: 4 of 4 windows',
    ]);
  });
});

test('progress at a terminal is a bar', () => {
  const stream = new PassThrough();
  let drawn = '';
  stream.on('data', (chunk: Buffer) => (drawn += chunk.toString()));
  const terminal = Object.assign(stream, { isTTY: true, columns: 80 }) as unknown as NodeJS.WriteStream;
  {
    using progress = showProgress('export', { stream: terminal });
    progress.update(1, 4, 'merging');
  }
  expect(drawn).toContain('export merging ');
  expect(drawn).toContain('1/4 windows');
});
