/** How a person is called. */
export interface Contact {
  readonly fullname: string;
  readonly firstname: string;
  readonly lastname: string;
}

/** Looks names up for info messages. Never throws: somebody unknown is called by the id. */
export interface Contacts {
  lookup(app: string, users: readonly string[]): Promise<readonly Contact[]>;
}
