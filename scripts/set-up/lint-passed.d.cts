/**
 * Remembers that eslint found nothing, so that it need not run again while no file has changed.
 *
 * @param root folder of the project
 * @param memo file that remembers the files for which eslint passed
 * @returns whether eslint passed for these very files. `remember` notes that it passed for the files as they were at
 *   the time of this call
 */
export function lintMemo(root: string, memo: string): { passed: boolean; remember: () => void };
