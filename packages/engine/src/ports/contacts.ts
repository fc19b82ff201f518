/** A person's names. */
export interface Contact {
  readonly fullname: string;
  readonly firstname: string;
  readonly lastname: string;
}

/** Looks names up for info messages. Never throws: an unknown person is called by the id. */
export interface Contacts {
  lookup(app: string, users: readonly string[]): Promise<readonly Contact[]>;
}
