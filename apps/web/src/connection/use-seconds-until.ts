import { useEffect, useState } from "preact/compat";

/** Returns the whole seconds until `time`, counting down; `null` without a time, or when it has passed. */
export function useSecondsUntil(time: number | null): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (time === null) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [time]);
  if (time === null) return null;
  const seconds = Math.ceil((time - now) / 1_000);
  return seconds > 0 ? seconds : null;
}
