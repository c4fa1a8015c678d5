import { options, type VNode } from 'preact';
import { visibleLines, visibleText } from '../etl/visible-text';

/** Attributes that the page shows, or that a screen reader reads. */
const shown = ['title', 'aria-label'] as const;

/**
 * Makes every text of the page show characters that would be invisible or change the direction of text, as escapes.
 * Otherwise, the names of two clusters could look the same. Links and inputs keep the names as they are.
 */
export function showHidden(): void {
  const before = options.vnode?.bind(options);
  options.vnode = (vnode) => {
    // Preact passes each text as a node without a type.
    const text = vnode as unknown as { type: unknown; props: unknown };
    if (text.type === null && typeof text.props === 'string') text.props = visibleLines(text.props);
    else if (typeof text.type === 'string') showAttributes(vnode);
    before?.(vnode);
  };
}

function showAttributes({ props }: VNode<Record<string, unknown>>): void {
  for (const name of shown) {
    const value = props[name];
    if (typeof value === 'string') props[name] = visibleText(value);
  }
}
