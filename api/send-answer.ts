import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FederationError } from '../errors/federation-error';
import type { Turn } from '../query/answers';
import { timeText } from '../query/notes';
import type { Access } from './access';
import { AnswerCache, type Rendered } from './answer-cache';
import { bodyOf } from './body';
import { envelopeParts, warningText } from './json';
import type { RequestMetrics } from './metrics';
import type { ServerOptions } from './options';
import type { Question } from './query-kinds';
import { UnreadAnswers } from './unread-answers';

/** Sends the answer to a query. `asked` contains the warnings about the parameters of the request. */
export type SendAnswer = (
  request: FastifyRequest,
  reply: FastifyReply,
  question: Question,
  asked: readonly string[],
) => Promise<FastifyReply>;

/**
 * Creates a function that sends answers and caches them. If the ETag in a request is still current, that function
 * sends only the status 304.
 */
export function answerSender(
  { answers, revision }: Pick<ServerOptions, 'answers' | 'revision'>,
  access: Pick<Access, 'clientOf'>,
  metrics: RequestMetrics,
): SendAnswer {
  const cache = new AnswerCache();
  const unread = new UnreadAnswers();
  return send;

  async function send(
    request: FastifyRequest,
    reply: FastifyReply,
    question: Question,
    asked: readonly string[],
  ): Promise<FastifyReply> {
    if (answers.state().empty) {
      throw new FederationError('QUERY_NO_DATA', {
        detail: 'No federation has been committed yet, or none was pulled.',
        retryAfterMs: 30_000,
      });
    }
    const key = JSON.stringify([revision(), answers.state().refused?.message, asked, question.key]);
    const tag = `"${createHash('sha256').update(key).digest('base64url').slice(0, 27)}"`;
    reply.header('etag', tag).header('cache-control', 'private, no-cache');
    if (matches(request.headers['if-none-match'], tag)) {
      metrics.answered('client');
      return reply.code(304).send();
    }
    const gone = new AbortController();
    const leave = () => gone.abort(new Error('The client is gone.'));
    reply.raw.once('close', leave);
    try {
      const started = performance.now();
      const client = access.clientOf(request);
      // Check before the cache is asked, as answers from it stay in memory, too; and again when a new answer's turn has
      // come, as others may have been sent in the meantime.
      unread.check(client, answers.megabytes);
      const { rendered, origin } = await cache.get(key, { client, signal: gone.signal }, (signal) =>
        answers.inTurn({ client, signal }, async (turn) => {
          unread.check(client, turn.megabytes);
          return work(question, asked, turn);
        }),
      );
      metrics.answered(origin);
      const total = tenths(performance.now() - started);
      const worked = `query;dur=${rendered.queryMs}, render;dur=${rendered.renderMs}, total;dur=${total}`;
      const timing = { cache: 'cache;desc="hit"', shared: 'cache;desc="shared"', query: worked }[origin];
      unread.count(client, rendered.body, reply.raw);
      reply.headers({ ...rendered.headers, 'server-timing': timing });
      if (question.csv !== undefined) {
        reply.header('content-disposition', `attachment; filename="${question.csv}"`);
      }
      return reply
        .type(question.csv === undefined ? 'application/json; charset=utf-8' : 'text/csv; charset=utf-8')
        .send(rendered.body);
    } catch (error) {
      if (!gone.signal.aborted) throw error;
      // The client has disconnected, so it does not receive this answer.
      // The status is still logged and counted in the metrics, where 500 would look like a fault of the server.
      return reply.code(clientClosedRequest).send();
    } finally {
      reply.raw.off('close', leave);
    }
  }

  /** Runs a query and encodes its answer. `asked` contains the warnings about the parameters of the request. */
  async function work(question: Question, asked: readonly string[], turn: Turn): Promise<Rendered> {
    const started = performance.now();
    const { notes, parts } = await question.answer(turn);
    const answered = performance.now();
    const warnings = [...asked, ...notes.warnings];
    const body = await bodyOf(question.csv === undefined ? envelopeParts(parts(), warnings) : parts(), turn);
    const until = Math.max(0, ...answers.state().clusters.map(({ lastData }) => lastData));
    return {
      body,
      queryMs: tenths(answered - started),
      renderMs: tenths(performance.now() - answered),
      headers: {
        ...(notes.generation !== undefined && { 'x-federated-etl-generation': String(notes.generation) }),
        ...(until > 0 && { 'x-federated-etl-data-until': timeText(until) }),
        ...(warnings.length > 0 && { 'x-federated-etl-warning': headerText(warningText(warnings)) }),
      },
    };
  }
}

/** HTTP status of a request whose client disconnected before it was answered. nginx uses the same number. */
const clientClosedRequest = 499;

function tenths(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}

/** Makes a string valid as the value of a header: replaces characters other than printable ASCII, and truncates it. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 2_000);
}

function matches(header: string | undefined, tag: string): boolean {
  return (header ?? '')
    .split(',')
    .some((one) => one.trim().replace(/^W\//, '') === tag || one.trim() === '*');
}
