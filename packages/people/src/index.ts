export type { ContactDirectoryOptions } from "./contact-directory.ts";
export { contactLimits, createContactDirectory, fullNameOf } from "./contact-directory.ts";
export type { ErasedUser, EraseUserParts } from "./erase-user.ts";
export { eraseUser } from "./erase-user.ts";
export type { InstanceRecord, InstanceStore } from "./instance-store.ts";
export type { PeopleStore } from "./people-store.ts";
export type { UserRecord, UserStore } from "./user-store.ts";
