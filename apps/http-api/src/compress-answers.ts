import { limits } from "@chat21/protocol";
import compression from "compression";
import type { RequestHandler } from "express";

/**
 * Compresses answers of at least `limits.compressFromBytes` with Brotli or gzip, whichever of the two their reader
 * prefers. Answers for readers that name neither stay as they are. So do streams of events: their readers wait for
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
