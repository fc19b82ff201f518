import { constants } from "node:zlib";
import { limits } from "@chat21/protocol";
import compression from "compression";
import type { RequestHandler } from "express";

/**
 * A third of the time of the usual quality, 4, for the same size, and a window of 256 KiB, which bounds the memory of a long
 * answer. Measured on 470 KiB of an answer of sync.
 */
const brotliParams = { [constants.BROTLI_PARAM_QUALITY]: 3, [constants.BROTLI_PARAM_LGWIN]: 18 };

/**
 * Compresses answers of at least `limits.compressFromBytes` with Brotli or gzip, whichever of the two their reader
 * prefers. Answers for readers that name neither stay as they are. So do streams of events: their readers wait for
 * every line.
 */
export function compressAnswers(): RequestHandler {
  return compression({
    threshold: limits.compressFromBytes,
    brotli: { params: brotliParams },
    filter: (request, response) =>
      !String(response.getHeader("content-type")).startsWith("text/event-stream") &&
      compression.filter(request, response),
  });
}
