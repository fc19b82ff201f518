import { windowArea } from "./page-area.ts";

const windowKey = "chat21.window";
/** Longest time to wait until the page before a reload has gone. */
const handOverMs = 500;
/** Time in which a window that has a name answers who asks for it. */
const answerMs = 300;

/** Names that this page has already. */
const own = new Set<string>();

/**
 * Claims a name that no other open window has. After a reload it is the same as before. A duplicated window starts with
 * a copy of the storage of the first one, so it needs another name: otherwise it would act as the same device.
 */
export async function claimWindowName(area: Storage = windowArea): Promise<string> {
  const known = knownWindowName(area);
  if (known !== null && (await holdName(known, handOverMs))) return known;
  const fresh = randomName();
  await holdName(fresh, handOverMs);
  area.setItem(windowKey, fresh);
  return fresh;
}

/** The name that this window has claimed, or `null`. */
export function knownWindowName(area: Storage = windowArea): string | null {
  return area.getItem(windowKey);
}

/** Holds `name` while the page is open. `false`: another window still has it after `patienceMs`. */
export async function holdName(name: string, patienceMs: number): Promise<boolean> {
  if (own.has(name)) return true;
  const held = await ("locks" in navigator ? lockName(name, patienceMs) : askForName(name));
  if (held) own.add(name);
  return held;
}

/** A random name without dots. */
export function randomName(): string {
  // `crypto.randomUUID` is missing on plain http.
  const bytes = Array.from(crypto.getRandomValues(new Uint8Array(8)));
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function lockName(name: string, patienceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const hold = () => {
      resolve(true);
      return new Promise<void>(() => {});
    };
    const signal = AbortSignal.timeout(patienceMs);
    navigator.locks.request(`chat21.window.${name}`, { signal }, hold).catch(() => resolve(false));
  });
}

/** Without the Web Locks API, which plain http does not have: asks the other windows, and answers them later. */
function askForName(name: string): Promise<boolean> {
  const channel = new BroadcastChannel(`chat21.window.${name}`);
  const claim = Math.random();
  let held = false;
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      held = true;
      resolve(true);
    }, answerMs);
    channel.onmessage = ({ data }: MessageEvent<{ readonly claim: number } | "taken">) => {
      if (data !== "taken") {
        // Of two that ask at the same moment one gets the name.
        if (held || claim > data.claim) channel.postMessage("taken");
      } else if (!held) {
        clearTimeout(timer);
        channel.close();
        resolve(false);
      }
    };
    channel.postMessage({ claim });
  });
}
