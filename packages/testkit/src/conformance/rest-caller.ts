import type { Json } from "./old-client.ts";

/** Calls REST with one token. The `Authorization` header holds the raw token, as existing clients send it. */
export class RestCaller {
  readonly #base: string;
  readonly #token: string;

  constructor(apiUrl: string, token: string) {
    this.#base = apiUrl;
    this.#token = token;
  }

  get(path: string): Promise<RestAnswer> {
    return this.#call("GET", path);
  }

  post(path: string, body: unknown): Promise<RestAnswer> {
    return this.#call("POST", path, body);
  }

  put(path: string, body: unknown): Promise<RestAnswer> {
    return this.#call("PUT", path, body);
  }

  delete(path: string, body?: unknown): Promise<RestAnswer> {
    return this.#call("DELETE", path, body);
  }

  async #call(method: string, path: string, body?: unknown): Promise<RestAnswer> {
    const response = await fetch(`${this.#base}/${path}`, {
      method,
      headers: { authorization: this.#token, "content-type": "application/json;charset=UTF-8" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  }
}

/** The answer to a REST request. */
export interface RestAnswer {
  readonly status: number;
  /** Parsed JSON, or the text of another answer. */
  readonly body: Json;
}
