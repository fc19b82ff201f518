import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { RequestHandler } from "express";
import type { Logger } from "pino";
import { pinoHttp } from "pino-http";

const secretNames: ReadonlySet<string> = new Set(["jwt", "token", "secret", "password"]);
const secretSegment = /(\/push\/webhook\/endpoint\/)[^/?]+/gi;

/** A URL without tokens. Names are compared after decoding: an escaped `t%6Fken` is a token. */
function withoutSecrets(url: string): string {
  const [path = "", ...rest] = url.replace(secretSegment, "$1[redacted]").split("?");
  if (rest.length === 0) return path;
  const query = [...new URLSearchParams(rest.join("?"))].map(([name, value]) => {
    const shown = secretNames.has(name.toLowerCase()) ? "[redacted]" : encodeURIComponent(value);
    return `${encodeURIComponent(name)}=${shown}`;
  });
  return `${path}?${query.join("&")}`;
}

/**
 * Gives each request an id, taken from `X-Request-Id` or new, and logs it when it ends: failures of the server as
 * errors, all else for debugging. Neither headers nor bodies are logged.
 */
export function logRequests(logger: Logger): RequestHandler {
  return pinoHttp({
    logger,
    genReqId: (request, response) => {
      const id = requestId(request);
      response.setHeader("x-request-id", id);
      return id;
    },
    customLogLevel: (_request, response, error) => (error || response.statusCode >= 500 ? "error" : "debug"),
    serializers: {
      req: ({ id, method, url, remoteAddress }: Record<string, unknown>) => ({
        id,
        method,
        url: withoutSecrets(String(url)),
        remoteAddress,
      }),
      res: ({ statusCode }: { readonly statusCode: number }) => ({ statusCode }),
    },
  });
}

function requestId(request: IncomingMessage): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
}
