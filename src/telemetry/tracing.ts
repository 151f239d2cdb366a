import type { OpenTelemetryPlugin } from '@temporalio/interceptors-opentelemetry';

/** Traces of what a process does with Temporal. */
export interface Tracing {
  /** For clients, workers and the bundle of workflows alike; none, where nothing is traced. */
  readonly plugins: OpenTelemetryPlugin[];
  /** Sends what has not been sent yet. Never rejects. */
  close(): Promise<void>;
}

const NO_TRACING: Tracing = { plugins: [], close: async () => undefined };

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;

/** True when OpenTelemetry's own variables say where to send traces. */
export function isTraced(env: NodeJS.ProcessEnv = process.env): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none')
    return false;
  return ENDPOINTS.some((name) => env[name] !== undefined && env[name] !== '');
}

/** The packages would send to nowhere, and not say so. */
function refuseUnusableEndpoints(env: NodeJS.ProcessEnv): void {
  for (const name of ENDPOINTS) {
    const value = env[name];
    if (!value || /^https?:\/\/[^/]/.test(value)) continue;
    throw new Error(
      `${name} "${value}" is no address of a collector: give one such as http://localhost:4318, or leave it out.`,
    );
  }
}

/**
 * Begins to trace if the environment says so: client calls, workflows and activities, in one trace from the call on. Sent as
 * OTLP over HTTP; sampling, headers and names of resources go by OpenTelemetry's variables. Where nothing is traced, none of
 * the packages is loaded.
 * @param service the process's name in traces, unless `OTEL_SERVICE_NAME` gives one
 * @throws Error that names the variable, when an endpoint is no address
 */
export async function startTracing(service: string): Promise<Tracing> {
  if (!isTraced()) return NO_TRACING;
  refuseUnusableEndpoints(process.env);
  const [{ BasicTracerProvider, BatchSpanProcessor }, resources, exporter, contexts, interceptors] =
    await Promise.all([
      import('@opentelemetry/sdk-trace-base'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/exporter-trace-otlp-proto'),
      import('@opentelemetry/context-async-hooks'),
      import('@temporalio/interceptors-opentelemetry'),
    ]);
  const named = new resources.Resource({ 'service.name': service });
  const resource = named.merge(resources.detectResourcesSync({ detectors: [resources.envDetectorSync] }));
  const spanProcessor = new BatchSpanProcessor(new exporter.OTLPTraceExporter());
  const provider = new BasicTracerProvider({ resource, spanProcessors: [spanProcessor] });
  provider.register({ contextManager: new contexts.AsyncLocalStorageContextManager() });
  return {
    plugins: [new interceptors.OpenTelemetryPlugin({ resource, spanProcessor })],
    // Nothing that was asked for failed, if only the traces of it cannot be sent.
    close: () => provider.shutdown().catch(() => undefined),
  };
}
