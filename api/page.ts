import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PageFile, ServerOptions } from './options';

/**
 * Returns a Content-Security-Policy that allows nothing from other origins. It also forbids inline scripts, submitting
 * forms and `<base>` elements, which a malicious name in the cost data could otherwise inject.
 */
const policy = (styles: string) =>
  [
    "default-src 'self'",
    "img-src 'self' data:",
    `style-src ${styles}`,
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** Content-Security-Policy of the web page. */
export const pagePolicy = policy("'self'");

/** Content-Security-Policy of the API documentation at `/api/docs`, which has inline styles. */
export const docsPolicy = policy("'self' 'unsafe-inline'");

/**
 * Matches paths that programs request. Unknown paths of this kind are always answered with an error, never with the web
 * page, even if the request accepts HTML.
 */
const forPrograms =
  /^\/(api|model|allocation|assets|cloudCost|customCost|savings|prediction|budgets|collections|clusterInfo|clusterInfoMap|getConfigs|version|metrics|page)(\/|$)/i;

/**
 * Sends the web page in answer to an unknown path if a browser requests a document. Returns whether it sent the page.
 */
export function sendPage(request: FastifyRequest, reply: FastifyReply, page: ServerOptions['page']): boolean {
  const index = page?.get('/index.html');
  const [path = ''] = request.url.split('?');
  const asked = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
  if (index === undefined || !asked || forPrograms.test(path)) return false;
  send(reply.code(200), index);
  return true;
}

/** Serves the files of the web page: `index.html` at `/`, the others under `/page/`. */
export function registerPage(app: FastifyInstance, page: ServerOptions['page']): void {
  const index = page?.get('/index.html');
  app.get('/', (_, reply) => {
    if (index !== undefined) return send(reply, index);
    return reply.type('text/plain').send('This server has no page; its API is described at /api/docs.\n');
  });
  app.get<{ Params: { '*': string } }>('/page/*', (request, reply) => {
    const file = page?.get(`/page/${request.params['*']}`);
    return file === undefined ? reply.callNotFound() : send(reply, file);
  });
}

function send(reply: FastifyReply, { type, body, immutable }: PageFile): FastifyReply {
  return reply
    .headers({
      'content-security-policy': pagePolicy,
      'x-frame-options': 'DENY',
      'cache-control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    })
    .type(type)
    .send(body);
}
