/** The storage of one kind of records of the client's user, by their ids. */
export interface RecordStore<Stored> {
  /** Never rejects: what cannot be read is left out. */
  list(): Promise<readonly Stored[]>;
  put(record: Stored): Promise<void>;
  delete(id: string): Promise<void>;
}
