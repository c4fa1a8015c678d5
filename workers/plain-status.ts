const text = String.raw`"((?:[^"\\]|\\.)*)"`;
/**
 * The status of a gRPC call, as Rust prints it for debugging, `Status { code: Unavailable, message: "…", … }`, or for
 * people, `code: 'Some requested entity was not found', message: "…", …`.
 */
const statusForm = new RegExp(
  String.raw`(?:(?:\w+\()*Status \{ code: (\w+)|\bcode: '([^']*)'), message: ${text}`,
);
/** The error of the operating system that caused it: `Os { code: 111, kind: ConnectionRefused, message: "…" }`. */
const systemForm = new RegExp(String.raw`Os \{ code: \d+, kind: \w+, message: ${text}`);

const longest = 300;

/**
 * Shortens a text of the SDK's native part to one line of limited length. If the text contains a gRPC status, replaces
 * the status and everything after it with the code and messages of the status.
 */
export function plainStatus(said: string): string {
  const [status, debugged, printed, message = ''] = statusForm.exec(said) ?? [];
  const code = debugged ?? printed;
  const before = status === undefined ? said : said.slice(0, said.indexOf(status));
  const cause = status === undefined ? undefined : systemForm.exec(said)?.[1];
  const why = [message, cause ?? ''].filter((part) => part !== '').map(unescaped);
  const plain = code === undefined ? before : `${before}${[code, ...why].join(': ')}`;
  const line = plain.replace(/\s+/g, ' ').trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}

/** Undoes the escaping of a text that Rust has printed for debugging. Invisible characters become spaces. */
function unescaped(escaped: string): string {
  return escaped.replace(/\\(?:u\{[0-9a-f]+\}|(.))/g, (_, char: string | undefined) =>
    char === undefined || 'nrt0'.includes(char) ? ' ' : char,
  );
}
