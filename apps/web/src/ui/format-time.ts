/** Days and months are English, like the whole interface. The clock follows the reader's locale. */
const weekday = new Intl.DateTimeFormat("en-GB", { weekday: "short" });
const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const shortDate = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });
const longDay = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const longDate = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

/** Calendar days from `timestamp` to `now`. Negative when `timestamp` is in the future. */
function daysBetween(timestamp: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(timestamp)) / 86_400_000);
}

/** Midnight before `timestamp`, in the reader's time zone. */
export function startOfDay(timestamp: number): number {
  return new Date(timestamp).setHours(0, 0, 0, 0);
}

/** Midnight after `timestamp`, in the reader's time zone. */
export function endOfDay(timestamp: number): number {
  return new Date(timestamp).setHours(24, 0, 0, 0);
}

/** Formats a time for a list: `now`, `5 min`, the clock for today, then `Yesterday`, the weekday, the date. */
export function formatListTime(timestamp: number, now: number): string {
  const minutes = Math.floor((now - timestamp) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  const days = daysBetween(timestamp, now);
  if (days <= 0) return formatClock(timestamp);
  if (days === 1) return "Yesterday";
  if (days < 7) return weekday.format(timestamp);
  return sameYear(timestamp, now) ? dayAndMonth.format(timestamp) : shortDate.format(timestamp);
}

/** Formats a day for a divider: `Today`, `Yesterday`, or the full date. */
export function formatDay(timestamp: number, now: number): string {
  const days = daysBetween(timestamp, now);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return sameYear(timestamp, now) ? longDay.format(timestamp) : longDate.format(timestamp);
}

/** Formats hours and minutes. */
export function formatClock(timestamp: number): string {
  return clock.format(timestamp);
}

/** Formats date and time in full, for a tooltip. */
export function formatFull(timestamp: number): string {
  return full.format(timestamp);
}

/** Formats `last seen …` for somebody who is offline. Empty when the time is not known. */
export function formatLastSeen(lastSeen: number, now: number): string {
  if (lastSeen <= 0) return "";
  const time = formatListTime(lastSeen, now);
  if (time === "now") return "last seen just now";
  if (time.endsWith(" min")) return `last seen ${time} ago`;
  const days = daysBetween(lastSeen, now);
  if (days <= 0) return `last seen at ${time}`;
  return days === 1 ? `last seen yesterday at ${formatClock(lastSeen)}` : `last seen ${time}`;
}

function sameYear(a: number, b: number): boolean {
  return new Date(a).getFullYear() === new Date(b).getFullYear();
}
