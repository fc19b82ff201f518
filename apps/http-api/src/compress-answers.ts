import { limits } from "@chat21/protocol";
import compression from "compression";
import type { RequestHandler } from "express";

/**
 * Compresses answers of at least `limits.compressFromBytes` with Brotli or gzip, whichever their reader prefers of the
 * two; for readers that name neither they stay as they are. Streams of events stay as well: their readers wait for
 * every line.
 */
export function compressAnswers(): RequestHandler {
  return compression({
    threshold: limits.compressFromBytes,
    filter: (request, response) =>
      !String(response.getHeader("content-type")).startsWith("text/event-stream") &&
      compression.filter(request, response),
  });
}
