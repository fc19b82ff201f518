/** Name of the counter with the time up to which members' places in lists follow the log. */
export const listsSweptUpTo = "lists_swept_up_to";

/**
 * Users with more conversations have places in their lists, from the first list on that they ask for: the list of others is
 * short.
 */
export const manyConversations = 500;

/**
 * Conversations that ever had more members have no places in lists: the places of a group are written again after its
 * messages. Lists look such conversations up, as many as a user has of them.
 */
export const maxPlacedMembers = 20;
