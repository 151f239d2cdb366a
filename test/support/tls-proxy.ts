import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { promisify } from 'node:util';

const openssl = (...args: string[]) => promisify(execFile)('openssl', args);

/** Paths of certificates and keys in PEM: an authority, and what it has signed for `localhost` and for a client. */
export interface Certificates {
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** @throws when there is no `openssl` */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const at = (name: string) => join(folder, name);
  const [ca, caKey] = [at('ca.pem'), at('ca.key')];
  await openssl(
    'req',
    '-x509',
    ...EC_KEY,
    '-keyout',
    caKey,
    '-out',
    ca,
    '-days',
    '2',
    '-subj',
    '/CN=test authority',
  );
  const signed = async (name: string, subject: string, extensions: string) => {
    const [cert, key, request, extensionFile] = ['pem', 'key', 'csr', 'ext'].map((end) =>
      at(`${name}.${end}`),
    ) as [string, string, string, string];
    await writeFile(extensionFile, extensions);
    await openssl('req', '-new', ...EC_KEY, '-keyout', key, '-out', request, '-subj', `/CN=${subject}`);
    const by = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensionFile];
    await openssl('x509', '-req', '-in', request, ...by, '-out', cert);
    return { cert, key };
  };
  return {
    ca,
    server: await signed('server', 'localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1'),
    client: await signed('client', 'rollouts', 'extendedKeyUsage=clientAuth'),
  };
}

/** A gRPC call that came through the proxy. */
export interface ProxiedCall {
  /** `PollWorkflowTaskQueue` */
  readonly method: string;
  /** Whom the client's certificate names. */
  readonly caller: string | undefined;
  readonly authorization: string | undefined;
}

export interface TlsProxy {
  readonly address: string;
  readonly calls: readonly ProxiedCall[];
  close(): Promise<void>;
}

export interface TlsProxyOptions {
  /** Host and port of the server behind it, which speaks no TLS. */
  readonly target: string;
  readonly certificates: Certificates;
  /** Whoever has no certificate of the authority is refused. */
  readonly asksForCertificate?: boolean;
  /** Whoever does not send it is refused. */
  readonly apiKey?: string;
}

const UNAUTHENTICATED = '16';

/** What stands before a Temporal server in production: TLS, client certificates, API keys. */
export async function startTlsProxy(options: TlsProxyOptions): Promise<TlsProxy> {
  const { target, certificates, asksForCertificate = false, apiKey } = options;
  const calls: ProxiedCall[] = [];
  const upstream = http2.connect(`http://${target}`);
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createSecureServer({
    ca: await readFile(certificates.ca),
    cert: await readFile(certificates.server.cert),
    key: await readFile(certificates.server.key),
    requestCert: asksForCertificate,
    rejectUnauthorized: asksForCertificate,
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream, headers) => {
    const socket = stream.session?.socket as TLSSocket | undefined;
    const call = {
      method: headers[':path']?.split('/').at(-1) ?? '',
      caller: socket?.getPeerCertificate().subject?.CN as string | undefined,
      authorization: headers.authorization,
    };
    calls.push(call);
    const isAdmitted = apiKey === undefined || call.authorization === `Bearer ${apiKey}`;
    if (isAdmitted) return forward(stream, headers, upstream);
    stream.respond(
      { 'content-type': 'application/grpc', 'grpc-status': UNAUTHENTICATED },
      { endStream: true },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    for (const session of sessions) session.destroy();
    upstream.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { address: `localhost:${(server.address() as AddressInfo).port}`, calls, close };
}

/** Hands a call on, and its answer with what comes after it: gRPC tells there how the call ended. */
function forward(
  stream: http2.ServerHttp2Stream,
  headers: http2.IncomingHttpHeaders,
  upstream: http2.ClientHttp2Session,
): void {
  const request = upstream.request(headers);
  let trailers: http2.IncomingHttpHeaders = {};
  request.on('response', (answer) => {
    stream.respond(answer, { waitForTrailers: true });
    request.pipe(stream);
  });
  request.on('trailers', (last) => (trailers = last));
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.on('close', () => request.close());
  for (const one of [stream, request]) one.on('error', () => one.destroy());
  stream.pipe(request);
}
