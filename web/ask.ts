import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/** A question that was not answered: the status and the server's own sentence. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message.replace(/^Error: /, ''));
  }
}

export interface Answered<T> {
  readonly data: T;
  readonly warning?: string;
}

const tokenKey = 'federated-etl-token';

/** The operator token, for as long as this tab is open. */
export function storedToken(): string {
  return sessionStorage.getItem(tokenKey) ?? '';
}

export function storeToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
}

/** Asks the server; throws `Refused` when it says no, or cannot be reached. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<Answered<T>> {
  const token = storedToken();
  const headers = { ...(token !== '' && { authorization: `Bearer ${token}` }), ...init.headers };
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Refused(0, 'The server cannot be reached.');
  }
  const body = (await response.json().catch(() => undefined)) as
    { data: T; warning?: string; message?: string } | undefined;
  if (!response.ok || body === undefined) {
    throw new Refused(
      response.status,
      body?.message ?? `The server answered with status ${response.status}.`,
    );
  }
  return { data: body.data, ...(body.warning !== undefined && { warning: body.warning }) };
}

/** Follows a link to a file with the operator token, which a link alone does not send. */
export async function download(path: string, name: string): Promise<void> {
  const response = await fetch(path, { headers: { authorization: `Bearer ${storedToken()}` } });
  if (!response.ok) throw new Refused(response.status, `The server answered with status ${response.status}.`);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Asks for a change, with the operator token. */
export async function act(path: string, body: object): Promise<string> {
  const answer = await ask<{ message: string }>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answer.data.message;
}

export interface Asked<T> {
  /** The last answer; it stays while the next one is on its way. */
  readonly answer?: Answered<T>;
  readonly error?: Refused;
  readonly loading: boolean;
  readonly again: () => void;
}

/** Asks a path, again when it changes; what is superseded is aborted. Undefined asks nothing. */
export function useAnswer<T>(path: string | undefined): Asked<T> {
  const [state, setState] = useState<Omit<Asked<T>, 'again'>>({ loading: path !== undefined });
  const [count, setCount] = useState(0);
  const again = useCallback(() => setCount((before) => before + 1), []);
  const latest = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (path === undefined) return;
    latest.current = path;
    const abort = new AbortController();
    setState(({ answer }) => ({ ...(answer && { answer }), loading: true }));
    ask<T>(path, { signal: abort.signal }).then(
      (answer) => setState({ answer, loading: false }),
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const refused = error instanceof Refused ? error : new Refused(0, String(error));
        setState(({ answer }) => ({ ...(answer && { answer }), error: refused, loading: false }));
      },
    );
    return () => abort.abort();
  }, [path, count]);
  return { ...state, again };
}
