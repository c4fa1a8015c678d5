import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';

/**
 * Error of a failed request, with its HTTP status and the server's message. The status is 0 if the server is
 * unreachable.
 */
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
  /**
   * Generation (version of the federated data) that the answer was computed from; undefined if the server states none.
   */
  readonly generation?: string;
}

const tokenKey = 'federated-etl-token';

/** Returns the operator token that is stored for this browser tab; empty if there is none. */
export function storedToken(): string {
  return sessionStorage.getItem(tokenKey) ?? '';
}

export function storeToken(token: string): void {
  sessionStorage.setItem(tokenKey, token);
}

/** Requests a path. Throws `Refused` if the server returns an error or cannot be reached. */
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
  const generation = response.headers.get('x-federated-etl-generation');
  return {
    data: body.data,
    ...(body.warning !== undefined && { warning: body.warning }),
    ...(generation !== null && { generation }),
  };
}

/** Two answers that are shown together. `second` is an error if the second request failed. */
export interface Pair<A, B> {
  readonly first: Answered<A>;
  readonly second: Answered<B> | Refused;
}

/**
 * Requests two paths. If the answers come from different generations, requests both paths once more. Throws if the
 * request for the first path fails. If only the request for the second path fails, returns its error as `second`.
 */
export async function askPair<A, B>(
  [one, other]: readonly [string, string],
  init: RequestInit = {},
): Promise<Pair<A, B>> {
  const askBoth = async (): Promise<Pair<A, B>> => {
    const [first, second] = await Promise.all([
      ask<A>(one, init),
      ask<B>(other, init).catch((error: unknown) => {
        if (error instanceof Refused) return error;
        throw error;
      }),
    ]);
    return { first, second };
  };
  const pair = await askBoth();
  return isOfOneGeneration(pair) ? pair : askBoth();
}

/**
 * Returns whether both answers of a pair come from the same generation. Also returns true if the second request failed.
 */
export function isOfOneGeneration<A, B>({ first, second }: Pair<A, B>): boolean {
  return second instanceof Refused || first.generation === second.generation;
}

/** Downloads a file. Sends the operator token, which the browser would not send for a plain link. */
export async function download(path: string, name: string): Promise<void> {
  const response = await fetch(path, { headers: { authorization: `Bearer ${storedToken()}` } });
  if (!response.ok) throw new Refused(response.status, `The server answered with status ${response.status}.`);
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** Sends an operator action to the server. Returns the message with which the server answers. */
export async function act(path: string, body: object): Promise<string> {
  const answer = await ask<{ message: string }>(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return answer.data.message;
}

export interface Asked<T> {
  /** The latest answer. It is kept while the next request is running. */
  readonly answer?: T;
  readonly error?: Refused;
  readonly loading: boolean;
  readonly again: () => void;
}

/**
 * Requests a path. When the path changes, aborts the running request and requests the new path. Requests nothing while
 * the path is undefined.
 */
export function useAnswer<T>(path: string | undefined): Asked<Answered<T>> {
  return useAsked(path, ask<T>);
}

/** Like `useAnswer`, but requests two paths whose answers are shown together. */
export function usePair<A, B>(one: string, other: string): Asked<Pair<A, B>> {
  const both = useMemo(() => [one, other] as const, [one, other]);
  return useAsked(both, askPair<A, B>);
}

function useAsked<Q, T>(
  question: Q | undefined,
  asking: (question: Q, init: RequestInit) => Promise<T>,
): Asked<T> {
  const [state, setState] = useState<Omit<Asked<T>, 'again'>>({ loading: question !== undefined });
  const [count, setCount] = useState(0);
  const again = useCallback(() => setCount((before) => before + 1), []);
  useEffect(() => {
    if (question === undefined) return;
    const abort = new AbortController();
    setState(({ answer }) => ({ ...(answer !== undefined && { answer }), loading: true }));
    asking(question, { signal: abort.signal }).then(
      (answer) => {
        if (!abort.signal.aborted) setState({ answer, loading: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        const refused = error instanceof Refused ? error : new Refused(0, String(error));
        setState(({ answer }) => ({
          ...(answer !== undefined && { answer }),
          error: refused,
          loading: false,
        }));
      },
    );
    return () => abort.abort();
  }, [question, count]);
  return { ...state, again };
}
