/** Shows progress, on a terminal only. */
export interface ProgressBar {
  /** @param fraction 0 to 1 */
  show(fraction: number): void;
  /** Removes the bar, so that the next line stands alone. */
  clear(): void;
}

const width = 30;

/** A bar on standard error; silent when that is no terminal. */
export function createProgressBar(label: string): ProgressBar {
  const { stderr } = process;
  if (stderr.isTTY !== true) return { show: () => {}, clear: () => {} };
  return {
    show(fraction) {
      const done = Math.round(Math.min(1, Math.max(0, fraction)) * width);
      const percent = `${Math.round(fraction * 100)}`.padStart(3);
      stderr.write(`\r${label} ${"█".repeat(done)}${"░".repeat(width - done)} ${percent} %`);
    },
    clear: () => void stderr.write("\r\u001b[2K"),
  };
}
