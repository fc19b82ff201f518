import type { EventRecord, MemberPatch, MemberRecord, Run } from "@chat21/engine";
import { directMembers, messageStatus, systemUser } from "@chat21/protocol";
import { originalBody } from "../documents/body.ts";
import type { Refused } from "../refusals.ts";
import { isRefused } from "../refusals.ts";
import { nextEvent, type OriginalEvent } from "./next-event.ts";
import type {
  OriginalConversation,
  OriginalCopyState,
  OriginalListEntry,
  OriginalMessage,
} from "./source.ts";
import { VisibleIntervals } from "./visible-intervals.ts";

/** A numbered conversation's facts beside its events. */
export interface NumberedConversation {
  readonly facts: Pick<Run, "kind" | "transient" | "group" | "members">;
  /** Members' places; empty ones are left out. */
  readonly patches: readonly MemberPatch[];
  /** Users on whose list the conversation is, although they see none of its listed messages. */
  readonly emptyEntries: readonly string[];
}

/** Message id of the event that stands for a group without any message. */
const emptyGroupMessageId = "imported-group";

/** Numbers one conversation's messages, which come in their order, and works out what its members may see. */
export class ConversationNumbering {
  readonly #source: OriginalConversation;
  readonly #now: number;
  readonly #visible = new VisibleIntervals();
  readonly #delivered = new Map<string, number>();
  readonly #lastListed = new Map<string, number>();
  readonly #lastOwn = new Map<string, number>();
  #firstSender: string | null = null;
  #head = 0;
  #lastTimestamp = 0;
  /** Number of messages whose time could not be kept, because another message has it or because it is impossible. */
  movedTimes = 0;

  constructor(source: OriginalConversation, now: number) {
    this.#source = source;
    this.#now = now;
  }

  /** Number of the last event. */
  get head(): number {
    return this.#head;
  }

  /** The message's event, with the next number; a refused message takes none. */
  add(message: OriginalMessage): EventRecord | Refused {
    const { document } = message;
    if (document === null) return { refused: "document_gone" };
    const body = originalBody(document);
    if (isRefused(body)) return body;
    const sender = String(document["sender"]);
    const owners = new Set(message.copies.flatMap(({ owner }) => owner ?? []));
    // A user with a copy has seen the message, whatever its attributes say.
    const isHidden = body.hiddenFor !== null && body.hiddenFor !== sender && !owners.has(body.hiddenFor);
    const hiddenFor = isHidden ? body.hiddenFor : null;
    const event = this.#event({
      type: "message",
      sender,
      clientMessageId: body.clientMessageId,
      messageId: message.messageId,
      timestamp: message.timestamp,
      body: body.body,
      tempUid: body.tempUid,
      hiddenFor,
      listed: body.listed,
    });
    if (event.timestamp !== message.timestamp || !message.isTimeKnown) this.movedTimes += 1;
    this.#visible.add(event.seq, owners, hiddenFor);
    if (event.listed) for (const owner of owners) this.#lastListed.set(owner, event.seq);
    this.#noteSender(sender, event.seq);
    for (const copy of [...message.copies, ...message.receipts]) this.#noteReceipt(copy, sender, event.seq);
    return event;
  }

  /** The only event of a group without messages. */
  addEmptyGroup(): EventRecord | null {
    const { group } = this.#source;
    if (group === null || this.#head > 0) return null;
    const { name, owner, createdOn } = group.record;
    return this.#event({
      type: "group_created",
      sender: owner,
      clientMessageId: null,
      messageId: emptyGroupMessageId,
      timestamp: createdOn,
      body: JSON.stringify({ name, owner, announce: false }),
      tempUid: null,
      hiddenFor: null,
      listed: false,
    });
  }

  /** The conversation's facts, after all messages have their numbers. */
  finish(): NumberedConversation {
    const { kind, group, entries } = this.#source;
    const members = this.#members();
    const transient = kind === "group" && group === null;
    const facts = { kind, transient, group: group?.record ?? null, members };
    const patches = members.flatMap((member) => this.#patch(member, entries.get(member.user)) ?? []);
    const emptyEntries = [...entries.keys()].filter((user) => !this.#lastListed.has(user));
    return { facts, patches, emptyEntries };
  }

  #event(draft: OriginalEvent): EventRecord {
    const { app, conversation } = this.#source;
    const place = { app, conversation, head: this.#head, lastTimestamp: this.#lastTimestamp };
    const event = nextEvent(place, draft, this.#now);
    [this.#head, this.#lastTimestamp] = [event.seq, event.timestamp];
    return event;
  }

  #noteSender(sender: string, seq: number): void {
    this.#lastOwn.set(sender, seq);
    // `system` writes for others and owns nothing.
    if (this.#firstSender === null && sender !== systemUser) this.#firstSender = sender;
  }

  #noteReceipt({ owner, status }: OriginalCopyState, sender: string, seq: number): void {
    const pair = directMembers(this.#source.conversation);
    const isOwn = owner === sender;
    if (status === messageStatus.received && owner !== null && !isOwn) this.#delivered.set(owner, seq);
    if (status !== messageStatus.returnReceipt || pair === null || !isOwn) return;
    this.#delivered.set(pair[0] === sender ? pair[1] : pair[0], seq);
  }

  /** Present members first, as the group lists them; then users with copies who have left. */
  #members(): MemberRecord[] {
    const { group, conversation } = this.#source;
    const pair = directMembers(conversation);
    const owner = pair === null ? (group?.record.owner ?? this.#firstSender) : null;
    const present = new Set(pair ?? group?.members ?? (owner === null ? [] : [owner]));
    const former = this.#visible.owners.filter((user) => !present.has(user));
    return [...present, ...former].map((user) => ({
      user,
      role: user === owner && present.has(user) ? "owner" : "member",
      intervals: present.has(user) ? this.#visible.open(user, this.#head) : this.#visible.closed(user),
    }));
  }

  #patch({ user, intervals }: MemberRecord, entry: OriginalListEntry | undefined): MemberPatch | null {
    const delivered = this.#delivered.get(user);
    const lastListed = this.#lastListed.get(user) ?? 0;
    const lastVisible = intervals.at(-1)?.[1] ?? this.#head;
    // A writer has read the messages before its own. Beyond that an original only tells that something is unread.
    const read = entry?.isNew
      ? Math.min(this.#lastOwn.get(user) ?? 0, Math.max(0, lastListed - 1))
      : lastVisible;
    const place = {
      ...(delivered === undefined ? {} : { delivered }),
      ...(read === 0 ? {} : { read }),
      ...(entry?.isArchived ? { archivedAt: this.#head } : {}),
      // The conversation is on no list of this member until the next message.
      ...(entry === undefined && lastListed > 0 ? { clearedAt: this.#head } : {}),
    };
    const { app, conversation } = this.#source;
    return Object.keys(place).length === 0 ? null : { app, conversation, user, ...place };
  }
}
