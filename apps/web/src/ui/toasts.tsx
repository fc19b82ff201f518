import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { explainError } from "./explain-error.ts";
import { Icon } from "./icon.tsx";

/** Short notes at the foot of the page. */
export interface Toasts {
  /** Shows a sentence for some seconds; the same one twice is shown once. */
  show(text: string): void;
  /** Shows what failed. Fit for a promise's `catch`. */
  showError(thrown: unknown): void;
}

const ToastContext = createContext<Toasts | null>(null);
const shownMs = 7_000;
const most = 3;

/** The notes of the page around it. */
export function useToasts(): Toasts {
  const toasts = useContext(ToastContext);
  if (toasts === null) throw new Error("useToasts needs a ToastProvider.");
  return toasts;
}

/** Holds the notes and shows them; screen readers hear them at once. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [texts, setTexts] = useState<readonly string[]>([]);
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());

  const dismiss = useCallback((text: string) => {
    clearTimeout(timers.current.get(text));
    timers.current.delete(text);
    setTexts((shown) => shown.filter((other) => other !== text));
  }, []);

  const toasts = useMemo<Toasts>(() => {
    function show(text: string): void {
      clearTimeout(timers.current.get(text));
      timers.current.set(text, setTimeout(dismiss, shownMs, text));
      setTexts((shown) => [...shown.filter((other) => other !== text), text].slice(-most));
    }
    return { show, showError: (thrown) => show(explainError(thrown)) };
  }, [dismiss]);

  return (
    <ToastContext value={toasts}>
      {children}
      <div className="toasts" role="alert">
        {texts.map((text) => (
          <div key={text} className="toast">
            <span>{text}</span>
            <button type="button" className="icon-button" aria-label="Dismiss" onClick={() => dismiss(text)}>
              <Icon name="close" />
            </button>
          </div>
        ))}
      </div>
    </ToastContext>
  );
}
