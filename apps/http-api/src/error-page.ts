import { STATUS_CODES } from "node:http";
import type { Reply } from "./reply.ts";

/** The page that existing callers get when no route has answered: an unknown path, a body that cannot be read. */
export function errorPage(status: number, text: string = STATUS_CODES[status] ?? "Error"): Reply {
  const body = [
    "<!DOCTYPE html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    "<title>Error</title>",
    "</head>",
    "<body>",
    `<pre>${escapeHtml(text)}</pre>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
  return { status, type: "text/html; charset=utf-8", body };
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
