/** The limits that clients check, too. They stand apart so that a client's bundle holds no others. */
export const clientLimits = {
  /** Longest device, message and app id, and longest client id that a token names. */
  idBytes: 64,
  /**
   * Longest user id on the wire, escapes counted. A routing key holds two ids: whether a pair fits is checked when they
   * meet (ADR-0016).
   */
  userIdBytes: 128,
  /** Longest group id; support-desk ids in the field have 71 and more. */
  groupIdBytes: 128,
  /** AMQP 0-9-1 short string: no routing key may be longer. */
  routingKeyBytes: 255,
  /** Largest JSON payload of one publish or of one REST body that carries a message; that of the existing API. */
  payloadBytes: 100 * 1024,
  /** Items of a list when the request names no `limit`. */
  listDefault: 200,
  /** Longest cursor of sync or of a list. */
  cursorCharacters: 512,
  /** Unread messages of a conversation are counted up to this number. */
  unreadMax: 1_000,
  /** Conversations one `mark` command may name. */
  marks: 100,
} as const;

/**
 * Every limit of the wire, by name. Sizes are bytes of UTF-8, durations milliseconds, the rest counts.
 * The values are the same in both topologies, so that a client never meets two answers.
 */
export const limits = /* @__PURE__ */ (() =>
  ({
    ...clientLimits,
    /** Longest MQTT client id that the token does not name. */
    clientIdBytes: 256,
    /** Deepest nesting of objects and arrays in a payload. */
    payloadDepth: 32,
    /** Members an inline group may name. */
    inlineGroupMembers: 50,
    /**
     * Largest group whose deliveries go with all others, in members; deliveries of larger groups go in steps of this
     * size.
     */
    interleavedMembers: 200,
    /**
     * A larger group than `interleavedMembers` tells its members of its new data (S6) once in this time for each of them;
     * changes in between are told together.
     */
    groupNoticeMemberMs: 1,
    /** Members of a stored group. */
    groupMembers: 10_000,
    /** Largest REST body that names a group's members: `groupMembers` of the longest ids, and attributes. */
    groupBodyBytes: 2 * 1024 * 1024,
    /** Largest body of any other REST request; that of the existing API. */
    bodyBytes: 100 * 1024,
    /** Users whose presence one request may ask for. */
    presenceUsers: 100,
    /** Longest group or user display name. */
    nameBytes: 512,
    /**
     * A receipt names a message by an id among so many newest events of the conversation, or more where a store finds it
     * by an index. An id farther back is as unknown as one that no message has.
     */
    receiptReach: 1_000,
    /** Messages replayed to a user who joins a group. */
    joinReplay: 200,
    /**
     * Characters of these messages' bodies: the newest that fit, at least one. What is not replayed is in the history.
     */
    joinReplayCharacters: 128 * 1024,
    /**
     * Characters that are replayed to one user in a burst, by all groups together, so that their deliveries always fit into
     * what may wait for one session. A replay that does not fit is left out.
     */
    joinReplayBurst: 256 * 1024,
    /** Characters that are replayed to one user in a minute. */
    joinReplayPerMinute: 1536 * 1024,
    /** Largest `limit` of a list. */
    listMax: 1_000,
    /** Changed conversations in one answer of sync, at most. */
    syncConversations: 1_000,
    /**
     * Bytes of one answer of sync, of a list or of a history, everything counted. At least one item comes, of any size;
     * the others come with the answer's cursor.
     */
    answerBytes: 4 * 1024 * 1024,
    /** Sync, list and history requests of one user that are answered at the same time. */
    heavyRequests: 2,
    /** Such requests that wait for their turn, per user; one more is `rate_limited`. */
    heavyWaiting: 16,
    /** A reader that takes nothing of an answer for this time is disconnected. */
    readerStallMs: 30_000,
    /** REST answers of at least this size are compressed for readers that accept it. */
    compressFromBytes: 1024,
    /** Characters of a message's text that a list shows; the whole text is in the history. */
    listTextCharacters: 1_000,
    /** Messages that one `erase` command may name. */
    eraseSeqs: 100,
    /** Messages that one `erased` event names: a commit waits for their bodies to be removed. */
    erasedPerEvent: 500,
    /** A client's own `timestamp` may lie this far in the past. */
    timestampPastMs: 24 * 60 * 60 * 1_000,
    /** A client's own `timestamp` may lie this far in the future. */
    timestampFutureMs: 60 * 1_000,
    /** Longest life of a token of the strict profile. */
    strictTokenTtlMs: 60 * 60 * 1_000,
    /** Longest life of a token of the compat profile. */
    compatTokenTtlMs: 30 * 24 * 60 * 60 * 1_000,
    /**
     * Tokens of one user that are revoked by their ids by somebody else than their holders: such revocations are kept for
     * ever. Beyond it a token ends itself, or all of the user's are revoked at once.
     */
    revokedTokensPerUser: 1_000,
  }) as const)();
