import { download, storedToken } from '../ask';

interface CsvLinkProps {
  readonly path: string;
  readonly name: string;
  readonly say: (message: string) => void;
}

/** A link that downloads the answer at `path` as CSV. */
export function CsvLink({ path, name, say }: CsvLinkProps) {
  const href = `${path}&format=csv`;
  return (
    <a
      class="button"
      href={href}
      download={name}
      onClick={(event) => {
        if (storedToken() === '') return;
        event.preventDefault();
        download(href, name).catch((error: unknown) =>
          say(error instanceof Error ? error.message : String(error)),
        );
      }}
    >
      CSV
    </a>
  );
}
