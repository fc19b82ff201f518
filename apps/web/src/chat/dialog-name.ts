/** The name of a dialog of the page. */
export type DialogName = "new-conversation" | "new-group" | "sign-out";
