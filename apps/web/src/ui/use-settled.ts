import { useEffect, useState } from "preact/compat";

/** Returns `value` as soon as it has not changed for `quietMs`; until then the value before. */
export function useSettled(value: string, quietMs: number): string {
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), quietMs);
    return () => clearTimeout(timer);
  }, [value, quietMs]);
  return settled;
}
