import type { ComponentChildren } from 'preact';
import { formatState, type UrlState } from '../url-state';

interface LinkProps {
  readonly to: UrlState;
  readonly go: (change: UrlState) => void;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly title?: string;
  readonly 'aria-current'?: 'page';
}

/**
 * A link within the page. A plain click changes the view without a reload; with Ctrl, Meta or Shift, the browser opens
 * a new tab or window.
 */
export function Link({ to, go, children, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={formatState(to)}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
