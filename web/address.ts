import { useCallback, useEffect, useState } from 'preact/hooks';
import { formatState, parseState, type UrlState } from './url-state';

/**
 * Returns the state that the page's URL contains, and a function that changes it. When the user presses the browser's
 * back button, returns the earlier state.
 */
export function useAddress(): [UrlState, (change: UrlState, replace?: boolean) => void] {
  const [state, setState] = useState<UrlState>(() => parseState(location.search));
  useEffect(() => {
    const onBack = () => setState(parseState(location.search));
    addEventListener('popstate', onBack);
    return () => removeEventListener('popstate', onBack);
  }, []);
  const go = useCallback((change: UrlState, replace = false) => {
    const url = formatState(change);
    if (replace) history.replaceState(null, '', url);
    else history.pushState(null, '', url);
    setState(parseState(location.search));
  }, []);
  return [state, go];
}
