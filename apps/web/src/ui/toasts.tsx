import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { explainError } from "./explain-error.ts";
import { Icon } from "./icon.tsx";

/** Short notes at the foot of the page. */
export interface Toasts {
  /** Shows a sentence for some seconds. A sentence that is already shown is not added again. */
  show(text: string): void;
  /** Explains an error. It can be passed to a promise's `catch`. */
  showError(thrown: unknown): void;
}

/** Holds and shows the notes. Screen readers read them at once. */
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

/** Returns the notes. Throws outside of a {@link ToastProvider}. */
export function useToasts(): Toasts {
  const toasts = useContext(ToastContext);
  if (toasts === null) throw new Error("useToasts needs a ToastProvider.");
  return toasts;
}

const ToastContext = createContext<Toasts | null>(null);
const shownMs = 7_000;
const most = 3;
