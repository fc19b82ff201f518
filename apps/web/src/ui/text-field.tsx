import type { ComponentChildren } from "preact";
import { type InputHTMLAttributes, type Ref, useId } from "preact/compat";

type InputProps = Pick<
  InputHTMLAttributes<HTMLInputElement>,
  | "aria-describedby"
  | "aria-invalid"
  | "autoCapitalize"
  | "autoComplete"
  | "autoFocus"
  | "maxLength"
  | "placeholder"
  | "spellcheck"
>;

/** Props of {@link TextField}. Those of the input are passed on. */
interface TextFieldProps extends InputProps {
  readonly label: string;
  readonly value: string;
  readonly onText: (text: string) => void;
  readonly inputRef?: Ref<HTMLInputElement>;
  /** Stands below the input, such as a hint. */
  readonly children?: ComponentChildren;
}

/** A line of text with its label. */
export function TextField({ label, onText, inputRef = null, children, ...input }: TextFieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        id={id}
        className="input"
        onInput={(event) => onText(event.currentTarget.value)}
        ref={inputRef}
      />
      {children}
    </div>
  );
}
