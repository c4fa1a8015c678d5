import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file in a folder that is laid out as Kubernetes mounts a secret. */
export interface MountedFile {
  readonly path: string;
  /**
   * Replaces the content in one step, like the kubelet: creates a new folder, and replaces the link to the old folder
   * by a link to the new one.
   */
  write(content: string): void;
}

/**
 * Creates a file as Kubernetes mounts it. The file's name is a link that leads through a second link to the folder with
 * the current content.
 */
export function mountFile(folder: string, name: string, content: string): MountedFile {
  let version = 0;
  const present = join(folder, '..data');
  const write = (text: string): void => {
    const old = join(folder, `..${version}`);
    version += 1;
    const next = `..${version}`;
    mkdirSync(join(folder, next));
    writeFileSync(join(folder, next, name), text);
    symlinkSync(next, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), present);
    rmSync(old, { recursive: true, force: true });
  };
  write(content);
  symlinkSync(join('..data', name), join(folder, name));
  return { path: join(folder, name), write };
}
