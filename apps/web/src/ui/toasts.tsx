import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useMemo,
  useRef,
  useState,
} from "preact/compat";
import { explainError } from "./explain-error.ts";
import { Icon } from "./icon.tsx";

/** Short notes at the foot of the page. */
export interface Toasts {
  /**
   * Shows a sentence for some seconds, with a button for `action`. A sentence that is already shown is not added again.
   */
  show(text: string, action?: ToastAction): void;
  /** Explains an error. It can be passed to a promise's `catch`. */
  showError(thrown: unknown): void;
}

/** What the button of a note does. The note is gone then. */
export interface ToastAction {
  readonly label: string;
  readonly onSelect: () => void;
}

interface Toast {
  readonly text: string;
  readonly action: ToastAction | undefined;
}

/** Holds and shows the notes. Screen readers read them at once. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<readonly Toast[]>([]);
  const timers = useRef(new Map<string, ReturnType<typeof setTimeout>>());

  const dismiss = useCallback((text: string) => {
    clearTimeout(timers.current.get(text));
    timers.current.delete(text);
    setShown((others) => others.filter((other) => other.text !== text));
  }, []);

  const toasts = useMemo<Toasts>(() => {
    function show(text: string, action?: ToastAction): void {
      clearTimeout(timers.current.get(text));
      timers.current.set(text, setTimeout(dismiss, shownMs, text));
      setShown((others) => [...others.filter((other) => other.text !== text), { text, action }].slice(-most));
    }
    return { show, showError: (thrown) => show(explainError(thrown)) };
  }, [dismiss]);

  return (
    <ToastContext value={toasts}>
      {children}
      <div className="toasts" role="alert">
        {shown.map(({ text, action }) => (
          <div key={text} className="toast">
            <span>{text}</span>
            {action !== undefined && (
              <button
                type="button"
                className="link-button"
                onClick={() => {
                  dismiss(text);
                  action.onSelect();
                }}
              >
                {action.label}
              </button>
            )}
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
