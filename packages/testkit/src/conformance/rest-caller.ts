import type { Json } from "./old-client.ts";

/** What came back. */
export interface RestAnswer {
  readonly status: number;
  /** Parsed when it is JSON, else text. */
  readonly body: Json;
}

/** REST with one token in the `Authorization` header, raw as existing clients send it. */
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
