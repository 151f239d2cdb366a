import { isIP } from 'node:net';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { createLogger } from '../../log.ts';
import { loadConnection } from '../connection.ts';
import { parsePort } from '../ports.ts';
import { encryptionCodec } from './encryption-codec.ts';
import { loadKeyRing } from './key-ring.ts';
import { createCodecServer } from './server.ts';

/** `npm run codec-server`: decrypts payloads for the Web UI and the `temporal` command. */
interface Options {
  readonly port: number;
  readonly host: string;
  readonly uiOrigin: readonly string[];
}

/** As in BSD's sysexits: a wrong command line is told apart from a server that fails. */
const EXIT_USAGE = 64;
const EXIT_FAILURE = 1;

/** Of the dev server's Web UI. */
const UI_ORIGINS = ['http://localhost:8233', 'http://127.0.0.1:8233'];

function parseOptions(args: readonly string[]): Options {
  return new Command('npm run codec-server --')
    .description(
      'Decrypts payloads for the Web UI and the temporal command, for as long as this command runs.',
    )
    .addOption(
      new Option('--port <number>', 'port to listen on; 0: a free one').default(8234).argParser(parsePort),
    )
    .addOption(
      new Option(
        '--host <address>',
        'address to listen on; one that others can reach needs CODEC_SERVER_TOKEN',
      ).default('127.0.0.1'),
    )
    .addOption(
      new Option('--ui-origin <origin...>', 'where the Web UI is served from')
        .default(UI_ORIGINS)
        .argParser(collectOrigin),
    )
    .addHelpText(
      'after',
      `
Environment:
  PAYLOAD_KEYS, PAYLOAD_KEYS_FILE  the keys, as the workers have them
  TEMPORAL_NAMESPACE               whose payloads they are (default: default)
  CODEC_SERVER_TOKEN               answer only who sends "Authorization: Bearer <token>"`,
    )
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows the options)')
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts<Options>();
}

function collectOrigin(text: string, before: readonly string[]): readonly string[] {
  const origin = URL.canParse(text) ? new URL(text).origin : 'null';
  if (origin === 'null' || origin !== text.replace(/\/$/, '')) {
    throw new InvalidArgumentError('Give scheme, host and port, such as http://localhost:8233.');
  }
  return before === UI_ORIGINS ? [origin] : [...before, origin];
}

/** @throws Error where everybody could have everything decrypted */
function checkedToken(host: string, token = process.env['CODEC_SERVER_TOKEN'] ?? ''): string | undefined {
  if (token !== '' && !/^[\x21-\x7e]{16,}$/.test(token)) {
    throw new Error(
      'CODEC_SERVER_TOKEN must have at least 16 characters, none of them a blank or beyond ASCII.',
    );
  }
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  if (token === '' && !isLoopback) {
    throw new Error(
      `Others can reach ${host}, and would have every payload decrypted: set CODEC_SERVER_TOKEN, or listen on 127.0.0.1.`,
    );
  }
  return token === '' ? undefined : token;
}

async function serve({ port, host, uiOrigin }: Options): Promise<void> {
  const keys = loadKeyRing();
  if (keys.ids.length === 0)
    throw new Error('Nothing is encrypted without keys: set PAYLOAD_KEYS or PAYLOAD_KEYS_FILE.');
  const token = checkedToken(host);
  const { namespace } = loadConnection();
  const log = createLogger('codec-server');
  const server = createCodecServer({
    codec: encryptionCodec(keys),
    namespace,
    uiOrigins: uiOrigin,
    token,
    log,
  });
  const url = await server.listen({ port, host });
  console.log(describe({ url, keys: keys.ids, namespace, uiOrigin, token }));
  await new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });
  await server.close();
}

interface Description {
  url: string;
  keys: readonly string[];
  namespace: string;
  uiOrigin: readonly string[];
  token: string | undefined;
}

function describe({ url, keys, namespace, uiOrigin, token }: Description): string {
  const auth = token === undefined ? '' : ' --codec-auth "Bearer $CODEC_SERVER_TOKEN"';
  return [
    `Codec server  ${url}`,
    `Keys          ${keys.join(', ')} (the first one encrypts)`,
    `Namespace     ${namespace}`,
    `Web UI at     ${uiOrigin.join(', ')}`,
    `Callers       ${token === undefined ? 'anyone on this machine' : 'whoever has the token'}`,
    '',
    `Web UI:  npm run temporal -- --codec-endpoint ${url}, or that URL in its own settings (Codec Server, at the top)`,
    `CLI:     temporal workflow show --codec-endpoint ${url}${auth} --workflow-id ...`,
    'Ctrl-C stops the server.',
  ].join('\n');
}

try {
  await serve(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  else {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = EXIT_FAILURE;
  }
}
