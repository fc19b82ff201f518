import fc from "fast-check";

/** The alphabet of ids, written out once more: the tests do not ask the code what is right. */
export const idAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-@:=~!,;()$&'";

const idCharacter = fc.constantFrom(...idAlphabet);
const firstCharacter = fc.constantFrom(...idAlphabet.replace("$", ""));

function idUpTo(length: number): fc.Arbitrary<string> {
  return fc
    .tuple(firstCharacter, fc.string({ unit: idCharacter, maxLength: length - 1 }))
    .map(([first, rest]) => first + rest);
}

/** Ids that are allowed for users, devices, messages, clients and apps, awkward ones among them. */
export const anyId = fc.oneof(
  { weight: 4, arbitrary: idUpTo(64) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("a", "users", "apps", "update", "__proto", "constructor", "group-", "a$"),
  },
);

/** Ids that are allowed for groups. */
export const anyGroupId = fc.oneof({ weight: 3, arbitrary: idUpTo(128) }, { weight: 1, arbitrary: anyId });

/** What may not be an id: one character wrong, empty, too long, or beginning with `$`. */
export const notAnId = fc.oneof(
  fc.constantFrom(
    "",
    "$",
    "__proto__",
    "$SYS",
    "$a",
    "a\n",
    "a.b",
    "a/b",
    "a+b",
    "a#b",
    "a*b",
    "a%2eb",
    "a b",
    "ä",
    "a\0",
    "💬",
  ),
  fc
    .tuple(anyId, fc.constantFrom(...'./+#*% \0\t\n\r"\\<>[]{}|^`?\u007f\u0080ä€'), anyId)
    .map(([before, wrong, after]) => before + wrong + after),
  fc.string({ unit: idCharacter, minLength: 129, maxLength: 300 }),
);

/** One level of a topic: sensible, awkward or hostile. */
const level = fc.oneof(
  { weight: 4, arbitrary: anyId },
  {
    weight: 4,
    arbitrary: fc.constantFrom("apps", "users", "outgoing", "messages", "conversations", "presence"),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom("update", "archive", "commands", "clientadded", "groups", "observer"),
  },
  { weight: 1, arbitrary: anyGroupId },
  { weight: 1, arbitrary: notAnId },
  { weight: 1, arbitrary: fc.constantFrom("", "+", "#", "$SYS", "..", "%2f") },
);

/** Texts that may come as a topic. */
export const anyTopic = fc.oneof(
  { weight: 1, arbitrary: fc.string() },
  { weight: 3, arbitrary: fc.array(level, { maxLength: 10 }).map((levels) => levels.join("/")) },
);

/** A topic with one of its levels replaced, doubled, dropped or cut in two. */
export function damaged(topic: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(topic, fc.nat(9), level, fc.constantFrom("replace", "double", "drop", "insert", "keep"))
    .map(([text, at, other, how]) => {
      const levels = text.split("/");
      const index = at % levels.length;
      const present = levels[index] ?? "";
      const put = {
        replace: [other],
        double: [present, present],
        drop: [],
        insert: [other, present],
        keep: [present],
      };
      levels.splice(index, 1, ...put[how]);
      return levels.join("/");
    });
}
