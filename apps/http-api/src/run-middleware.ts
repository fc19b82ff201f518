import type { Request, RequestHandler, Response } from "express";

/** Runs one express middleware; rejects with what it gives to `next`. */
export function runMiddleware(
  middleware: RequestHandler,
  request: Request,
  response: Response,
): Promise<void> {
  return new Promise((resolve, reject) => {
    void middleware(request, response, (thrown?: unknown) => {
      if (thrown === undefined || thrown === null) resolve();
      else reject(thrown);
    });
  });
}
