/** Which rules of form a route follows: the existing API, the new one, or an operator's. */
export type ApiKind = "v0" | "v1" | "operations";
