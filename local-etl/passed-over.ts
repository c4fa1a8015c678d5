import { lstat } from 'node:fs/promises';
import { ifThere, type LocalEtl, localPath, refusalOf, whyUnreadable } from './store';

/** A folder or link of the local ETL that was passed over: nothing in it or behind it was read. */
export interface PassedOver {
  /** Path below `bingen/`. */
  readonly path: string;
  readonly kind: 'unreadable' | 'link';
  readonly why: string;
}

/**
 * Returns a note about a link. Links below the folder of the local ETL are never followed, because they may lead out of
 * it. Only the folder itself, which the settings name, may be a link.
 */
export function linked(path: string): PassedOver {
  return { path, kind: 'link', why: 'It is a link, and links are not followed.' };
}

/**
 * Returns the first link on the path of a window file, or undefined if there is none. Does not look into folders that
 * cannot be read. `path` is below `bingen/`.
 */
export async function linkOnPath(store: LocalEtl, path: string): Promise<PassedOver | undefined> {
  const parts = path.split('/');
  for (let length = 1; length <= parts.length; length++) {
    const at = parts.slice(0, length).join('/');
    const stats = await ifThere(lstat(localPath(store, at))).catch((error: unknown) => {
      if (whyUnreadable(error) === undefined) throw refusalOf(localPath(store, at), error);
      return undefined;
    });
    if (stats === undefined) return undefined;
    if (stats.isSymbolicLink()) return linked(at);
  }
  return undefined;
}

/** If a link is on a file's path, returns why the file was skipped. `path` is below `bingen/`. */
export async function whyBehindLink(store: LocalEtl, path: string): Promise<string | undefined> {
  const link = await linkOnPath(store, path);
  return link?.path === path ? link.why : link && `${link.path}: ${link.why}`;
}

/** The places that one scan of the local ETL skipped. */
export class PassedOverPlaces {
  readonly unreadable: PassedOver[] = [];
  readonly links: PassedOver[] = [];

  readonly add = (place: PassedOver): void => {
    (place.kind === 'link' ? this.links : this.unreadable).push(place);
  };

  /** Returns true if a path is one of these places, or below one of them. The scan cannot have seen such a path. */
  hides(path: string): boolean {
    return [...this.unreadable, ...this.links].some(
      (place) => path === place.path || path.startsWith(`${place.path}/`),
    );
  }
}
