/** A dialog of the page. */
export type DialogName = "new-conversation" | "new-group" | "sign-out";
