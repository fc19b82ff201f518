import { readFileSync } from "node:fs";

const page = readFileSync(new URL("../../../docs/operations.md", import.meta.url), "utf8");

/** The blocks of `docs/operations.md` in a language, as a reader copies them. */
export function documentedSnippets(language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(
    ([, text = ""]) => text,
  );
}

/** The only block of a language. Throws where there are none or more. */
export function documentedSnippet(language: string): string {
  const [snippet, ...more] = documentedSnippets(language);
  if (snippet === undefined || more.length > 0) throw new Error(`expected one block of ${language}`);
  return snippet;
}
