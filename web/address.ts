import { useCallback, useEffect, useState } from 'preact/hooks';
import { formatState, parseState, type UrlState } from './url-state';

/**
 * Returns the state in the page's address and a function that changes it. The browser's back button changes the state
 * too.
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
