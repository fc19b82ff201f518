/** Something the operator can put right. The message is one line that says what is wrong and what to do. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";

  constructor(message: string, options?: { readonly cause: unknown }) {
    super(message, options);
  }
}
