import { useEffect, useState } from "preact/compat";

/** Returns `true` when `value` has been true for `delayMs` without a break. Returns `false` as soon as it is false. */
export function useDelayed(value: boolean, delayMs: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!value) return;
    const timer = setTimeout(() => setLate(true), delayMs);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [value, delayMs]);
  return value && late;
}
