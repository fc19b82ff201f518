import type { Unsubscribe } from "../api/emitter.ts";
import type { Clock } from "./clock.ts";

interface EventSource {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
  readonly visibilityState?: string;
}

/** Receivers of the platform's hints. */
export interface HintHandlers {
  /** The network or the page is there again, or the device slept. */
  handleBack(): void;
  /** The network is said to be gone. */
  handleOffline(): void;
  /** The page is out of sight, and may end without a further word. */
  handleHidden(): void;
}

const beatMs = 5_000;
/** A beat that is late by more than this means sleep, or a hidden page, whose timers are slow. */
const sleptMs = 10_000;

/** Passes on hints. Outside a browser only sleep is noticed. */
export function onHints(
  clock: Clock,
  { handleBack, handleOffline, handleHidden }: HintHandlers,
): Unsubscribe {
  const { window, document } = globalThis as { window?: EventSource; document?: EventSource };
  const backIfSeen = () => document?.visibilityState !== "hidden" && handleBack();
  const listeners: [EventSource | undefined, string, () => void][] = [
    [window, "online", handleBack],
    [window, "pageshow", handleBack],
    [window, "offline", handleOffline],
    [window, "pagehide", handleHidden],
    [
      document,
      "visibilitychange",
      () => (document?.visibilityState === "hidden" ? handleHidden() : handleBack()),
    ],
  ];
  for (const [source, type, listener] of listeners) source?.addEventListener?.(type, listener);
  let stopBeat: () => void;
  const beat = () => {
    const due = clock.now() + beatMs;
    stopBeat = clock.after(beatMs, () => {
      if (clock.now() - due > sleptMs) backIfSeen();
      beat();
    });
  };
  beat();
  return () => {
    stopBeat();
    for (const [source, type, listener] of listeners) source?.removeEventListener?.(type, listener);
  };
}
