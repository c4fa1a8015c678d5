import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative, resolve } from 'node:path';

const root = join(__dirname, '../..');
const notOurs = new Set(['node_modules', '.git', '.federated-etl', 'lib', 'coverage']);

function pagesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pagesBelow(path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/**
 * Returns the text of a page without code that looks like links. Removes code blocks, and removes brackets from inline
 * code.
 */
function proseOf(page: string): string {
  return readFileSync(page, 'utf8')
    .replace(/^( *)(```+)[^\n]*\n[\s\S]*?^ *\2 *$/gm, '')
    .replace(/(`+)[^`]*?\1/g, (code) => code.replaceAll(/[[\]()]/g, ''));
}

/** Lists the targets of all links in a page that point into this repository, exactly as they are written. */
function linksOf(page: string): string[] {
  return [...proseOf(page).matchAll(/\]\(<?([^)\s>]+)>?(?: "[^"]*")?\)/g)]
    .map(([, target]) => target ?? '')
    .filter((target) => !/^[a-z][a-z0-9+.-]*:/i.test(target));
}

/** Returns the anchors that GitHub and similar sites generate for the headings of a page. */
function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of proseOf(page).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const text = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = text.replace(/[^\p{L}\p{N}_\- ]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let again = 1; anchors.has(anchor); again++) anchor = `${slug}-${again}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** Returns what is wrong with a link, or undefined if its target exists. */
function faultOf(page: string, link: string): string | undefined {
  const [path = '', anchor] = decodeURI(link).split('#', 2);
  const target = path === '' ? page : resolve(dirname(page), path);
  if (!existsSync(target)) return `${link}: there is no such file`;
  if (anchor === undefined || extname(target) !== '.md') return undefined;
  return anchorsOf(target).has(anchor) ? undefined : `${link}: there is no such heading`;
}

const pages = pagesBelow(root);

describe('the documentation', () => {
  it('is found', () => expect(pages).toContain(join(root, 'README.md')));

  it.each(pages.map((page) => relative(root, page)))('%s links only to what is there', (page) => {
    const path = join(root, page);
    expect(linksOf(path).flatMap((link) => faultOf(path, link) ?? [])).toEqual([]);
  });
});
