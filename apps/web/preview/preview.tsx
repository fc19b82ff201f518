import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ChatPage } from "../src/chat/chat-page.tsx";
import { SignInPage } from "../src/sign-in/sign-in-page.tsx";
import { ToastProvider } from "../src/ui/toasts.tsx";
import "../src/styles/index.css";

const q = new URLSearchParams(location.search);
const state = q.get("state") ?? "chat";
const now = Date.now();
const min = 60000,
  h = 60 * min,
  d = 24 * h;
const me = "ada-lovelace";
let n = 0;
function m(cw: string, sender: string, name: string, text: string, ts: number, extra: any = {}) {
  n++;
  const own = sender === me;
  return {
    key: "k" + n,
    conversWith: cw,
    seq: n,
    messageId: "m" + n,
    clientMessageId: "c" + n,
    sender,
    senderFullname: name,
    recipient: "",
    recipientFullname: "",
    text,
    type: "text",
    timestamp: ts,
    attributes: {},
    metadata: null,
    own,
    state: own ? "read" : "received",
    error: null,
    wire: null,
    ...extra,
  };
}
const A = "Ada Lovelace",
  G = "Grace Hopper",
  T = "Alan Turing",
  K = "Katherine Johnson";
const info = (cw: string, key: string, parameters: any, ts: number) =>
  m(cw, "system", "System", "info", ts, {
    attributes: { subtype: "info", messagelabel: { key, parameters } },
  });
const grace = [
  m(
    "grace-hopper",
    "grace-hopper",
    G,
    "Morning! Did you see the numbers from last night's run?",
    now - d - 3 * h,
  ),
  m(
    "grace-hopper",
    me,
    A,
    "Just opening them now. The compiler passes all 412 cases 🎉",
    now - d - 3 * h + min,
  ),
  m(
    "grace-hopper",
    me,
    A,
    "Notes are here: https://example.org/notes/run-412 (have a look at the second table).",
    now - d - 3 * h + 2 * min,
  ),
  m(
    "grace-hopper",
    "grace-hopper",
    G,
    "That is lovely. I found an actual moth in the relay this time, so at least the bug report is honest.",
    now - 50 * min,
  ),
  m("grace-hopper", "grace-hopper", G, "It is taped into the log book now.", now - 49 * min),
  m(
    "grace-hopper",
    me,
    A,
    "Ha! Keep it. Somebody will want to see it in a museum one day.\n\nI will write up:\n- what broke\n- how we noticed\n- what we changed",
    now - 42 * min,
  ),
  m("grace-hopper", "grace-hopper", G, "Perfect. Shall we show it at three?", now - 9 * min),
  m("grace-hopper", me, A, "Three is good.", now - 4 * min, { state: "delivered" }),
  m("grace-hopper", me, A, "I will bring tea.", now - 2 * min, { state: "sent" }),
  m("grace-hopper", me, A, "And the log book, if you lend it to me", now - 30000, {
    state: "queued",
    seq: null,
  }),
];
if (q.has("failed"))
  grace.push(
    m("grace-hopper", me, A, "This one did not make it", now, {
      state: "failed",
      seq: null,
      error: { code: "rate_limited", message: "x", name: "ChatError" },
    }),
  );
const crew = [
  info("group-crew", "GROUP_CREATED", { creator: me }, now - 2 * h),
  info("group-crew", "MEMBER_JOINED_GROUP", { member_id: "grace-hopper", fullname: G }, now - 2 * h),
  info("group-crew", "MEMBER_JOINED_GROUP", { member_id: "alan-turing", fullname: T }, now - 2 * h),
  m("group-crew", "grace-hopper", G, "Release is cut, tagging in ten minutes.", now - 100 * min),
  m("group-crew", "alan-turing", T, "Wait for me, the last test is still running.", now - 99 * min),
  m("group-crew", "alan-turing", T, "… and it halts. Go ahead.", now - 98 * min),
  m("group-crew", me, A, "Tagged. Thank you both!", now - 90 * min, { state: "sent" }),
  m(
    "group-crew",
    "katherine",
    K,
    "I checked the trajectory by hand, it agrees to the sixth digit.",
    now - 12 * min,
  ),
  m("group-crew", "katherine", K, "Somebody please tell the machine.", now - 11 * min),
];
const many = Array.from({ length: 120 }, (_, i) =>
  m(
    "alan-turing",
    i % 5 < 2 ? me : "alan-turing",
    i % 5 < 2 ? A : T,
    `Message number ${i}`,
    now - (200 - i) * min * 7,
  ),
);
const sum = (cw: string, title: string, msgs: any[], o: any = {}) => ({
  conversWith: cw,
  kind: cw.includes("group-") ? "group" : "direct",
  title,
  lastMessage: msgs.at(-1) ?? null,
  timestamp: msgs.at(-1)?.timestamp ?? 0,
  unread: 0,
  markedUnread: false,
  archived: false,
  head: msgs.length,
  own: { delivered: 0, read: 1e9 },
  counterpart: null,
  ...o,
});
const empty = state === "empty";
const convs: Record<string, any> = empty
  ? {}
  : {
      "grace-hopper": { messages: grace, summary: sum("grace-hopper", G, grace) },
      "group-crew": {
        messages: crew,
        summary: sum("group-crew", "Release crew", crew, {
          unread: 2,
          own: { delivered: 0, read: crew[6].seq },
        }),
      },
      "alan-turing": {
        messages: many,
        summary: sum("alan-turing", T, many, { unread: 30, own: { delivered: 0, read: many[89].seq } }),
      },
    };
const extra = empty
  ? []
  : [
      sum("katherine", K, [m("katherine", "katherine", K, "See you in the planetarium", now - 26 * h)]),
      sum("mary", "Mary Somerville", [
        m(
          "mary",
          me,
          A,
          "On the connexion of the physical sciences: what a title, and what a long one at that",
          now - 3 * d,
        ),
      ]),
      sum("hedy", "Hedy Lamarr", [m("hedy", "hedy", "Hedy", "Hop, hop.", now - 6 * d)], {
        markedUnread: true,
      }),
      sum("group-book", "Book club", [m("group-book", "mary", "Mary", "Next: chapter four", now - 20 * d)]),
      sum("emmy-noether", "Emmy Noether", [
        m("emmy-noether", "emmy-noether", "Emmy", "Every symmetry has its law.", now - 400 * d),
      ]),
    ];
const list = [...Object.values(convs).map((c) => c.summary), ...extra].sort(
  (a, b) => b.timestamp - a.timestamp,
);
const emptyTyping: string[] = [],
  none: any[] = [];
const group = {
  id: "group-crew",
  name: "Release crew",
  owner: me,
  members: [me, "grace-hopper", "alan-turing", "katherine"],
  createdOn: now,
  updatedOn: now,
  attributes: {},
};
const presences: any = {
  "grace-hopper": { user: "g", presence: "online", lastSeen: null },
  "alan-turing": { user: "a", presence: "offline", lastSeen: now - 5 * h },
  katherine: { user: "k", presence: "online", lastSeen: null },
};
const nop = () => () => {};
const typing = q.has("typing") ? ["grace-hopper"] : emptyTyping;
const cache: any = {};
const chat: any = {
  app: "tilechat",
  user: { id: me, fullname: A },
  status: "online",
  conversations: {
    list: (o: any) => (o?.archived ? none : list),
    get: (id: string) => list.find((s) => s.conversWith === id),
    unread: list.reduce((a, b) => a + b.unread, 0),
    subscribe: nop,
    archive: async () => {},
    markUnread: async () => {},
  },
  groups: {
    known: (id: string) => (id === "group-crew" ? group : undefined),
    get: async () => group,
    rename: async () => {},
    addMember: async () => {
      throw new Error("nope");
    },
  },
  outbox: { list: () => none, pending: 0 },
  presence: { known: (u: string) => presences[u], subscribe: nop, get: async () => {} },
  conversation: (id: string) =>
    (cache[id] ??= {
      conversWith: id,
      summary: convs[id]?.summary ?? sum(id, id, []),
      messages: convs[id]?.messages ?? none,
      hasOlder: false,
      get typing() {
        return id === "grace-hopper" ? typing : emptyTyping;
      },
      subscribe: nop,
      send: async () => {
        throw new Error("The server said no to this one.");
      },
      setTyping() {},
      markRead() {},
      loadOlder: async () => none,
    }),
  on: nop,
  close: async () => {},
};
const cs = {
  status: state === "reconnecting" ? "reconnecting" : "online",
  retryAt: state === "reconnecting" ? now + 14000 : null,
  wasOnline: true,
};
const connection: any = { get: () => cs, subscribe: nop };
const app =
  state === "sign-in" ? (
    <SignInPage notice={q.get("notice")} onSignIn={() => {}} />
  ) : (
    <ToastProvider>
      <ChatPage open={{ session: {} as any, chat, connection }} signOut={() => {}} />
    </ToastProvider>
  );
createRoot(document.getElementById("root")!).render(<StrictMode>{app}</StrictMode>);
