/** Titles of the sections in `bench/results.md`. Keys are the names of the benchmarks. The page keeps this order. */
export const sectionTitles = {
  merge: 'Merge of one window',
  federation: 'Federation from end to end',
  scale: 'Scale',
  freshness: 'Freshness',
} as const;
export type BenchName = keyof typeof sectionTitles;

const title = '# Results of the benchmarks';
const about =
  '`npm run bench` measures and writes this page; each benchmark alone, with `--write`, only its section. Numbers are ' +
  'medians, ratios are of the same run. Compare what is of the same machine and load.';
const machineLabel = 'Machine: ';

/**
 * Replaces the section of one benchmark in the results page. If the page is from another machine, removes all other
 * sections, because their numbers cannot be compared with the new ones.
 *
 * @param page the current text of the page, or an empty string if there is no page yet
 * @param machine a description of the machine, in one line
 * @param body the new text of the section: Markdown without second-level headings
 */
export function withSection(page: string, machine: string, name: BenchName, body: string): string {
  const [head = '', ...parts] = page.split(/^## /m);
  const machineBefore = head.split('\n').find((line) => line.startsWith(machineLabel));
  const kept = machineBefore === machineLabel + machine ? parts : [];
  const bodies = new Map(kept.map((part) => [heading(part), part.slice(heading(part).length).trim()]));
  bodies.set(sectionTitles[name], body.trim());
  const sections = Object.values(sectionTitles).flatMap((section) => {
    const text = bodies.get(section);
    return text === undefined ? [] : [`## ${section}\n\n${text}\n`];
  });
  return [`${title}\n`, `${about}\n`, `${machineLabel}${machine}\n`, ...sections].join('\n');
}

/** Returns the text of one benchmark's section, without its heading; undefined if the page does not have it. */
export function sectionOf(page: string, name: BenchName): string | undefined {
  const part = page.split(/^## /m).find((section) => heading(section) === sectionTitles[name]);
  return part?.slice(heading(part).length).trim();
}

function heading(part: string): string {
  return part.split('\n', 1)[0] ?? '';
}
