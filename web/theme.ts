import { useEffect, useState } from 'preact/hooks';

export const themes = [
  ['system', 'System'],
  ['light', 'Light'],
  ['dark', 'Dark'],
] as const;

const themeKey = 'federated-etl-theme';

/**
 * Returns the theme that the user chose; the browser stores it. `colours` is a string that changes whenever the page's
 * colours change.
 */
export function useTheme(): { theme: string; setTheme: (theme: string) => void; colours: string } {
  const [theme, setTheme] = useState(() => localStorage.getItem(themeKey) ?? 'system');
  const [isDark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme;
    localStorage.setItem(themeKey, theme);
  }, [theme]);
  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)');
    const onChange = () => setDark(media.matches);
    media.addEventListener('change', onChange);
    return () => media.removeEventListener('change', onChange);
  }, []);
  return { theme, setTheme, colours: `${theme} ${String(isDark)}` };
}
