import { type ReactNode, useId, useLayoutEffect, useRef } from "preact/compat";
import { Icon } from "./icon.tsx";

/** A native modal dialog. It is open while it is mounted. Esc, the cross and a click outside call `onClose`. */
export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();

  // A layout effect closes the dialog before it leaves the document, so that the focus returns to its old place.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // The first field, or the title. Not the cross, which the browser would choose: Enter would close the dialog.
    const field = element?.querySelector<HTMLElement>("input, textarea");
    (field ?? element?.querySelector("h2"))?.focus();
    return () => element?.close();
  }, []);

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the browser closes it on Esc.
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div className="dialog-body">
        <header>
          <h2 id={heading} tabIndex={-1}>
            {title}
          </h2>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
