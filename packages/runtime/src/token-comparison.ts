import { createHash, timingSafeEqual } from "node:crypto";

/** Whether two tokens are the same; its time does not tell how much was right. */
export function isSameToken(given: string, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
