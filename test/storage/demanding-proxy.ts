import { createServer, request as forward } from 'node:http';
import { type Listening, listenOnLoopback } from './loopback';

export interface DemandingProxy extends Listening {
  /** Names of the checksum headers of all accepted writes, in order. */
  readonly sums: string[];
}

/**
 * Starts a proxy in front of an S3 server. Like Amazon S3 for a bucket with Object Lock and a default retention, the
 * proxy refuses an object or a part that is sent without a checksum.
 */
export async function startDemandingProxy(endpoint: string): Promise<DemandingProxy> {
  const sums: string[] = [];
  const refusal =
    '<Error><Code>InvalidRequest</Code><Message>Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object ' +
    'requests with Object Lock parameters</Message></Error>';
  const server = createServer((incoming, response) => {
    const { method, url = '', headers } = incoming;
    const sum = Object.keys(headers).find((name) =>
      /^(?:content-md5|x-amz-checksum-|x-amz-trailer)/.test(name),
    );
    const isObject = (url.split('?')[0] ?? '').split('/').length > 2;
    if (method === 'PUT' && isObject && headers['x-amz-copy-source'] === undefined) {
      if (sum === undefined) {
        incoming
          .resume()
          .on('end', () => response.writeHead(400, { 'content-type': 'application/xml' }).end(refusal));
        return;
      }
      sums.push(sum);
    }
    const onward = forward(`${endpoint}${url}`, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  });
  return { ...(await listenOnLoopback(server)), sums };
}
