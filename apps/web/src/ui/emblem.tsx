/** The logo of Chat21: two speech bubbles, one in front. */
export function Emblem({ size = 76 }: { size?: number }) {
  return (
    <svg className="emblem" style={{ width: size, height: size }} viewBox="0 0 64 64" aria-hidden="true">
      <path
        fill="#f2935c"
        d="M36 8h8a14 14 0 0 1 14 14v10a14 14 0 0 1-4 9.8V52a3 3 0 0 1-3 3H36a14 14 0 0 1-14-14V22A14 14 0 0 1 36 8Z"
      />
      <path
        fill="#0d6170"
        d="M20 14h13a14 14 0 0 1 14 14v9a14 14 0 0 1-14 14H9a3 3 0 0 1-3-3V28a14 14 0 0 1 14-14Z"
      />
      <path fill="none" stroke="#fff" strokeWidth="4.5" strokeLinecap="round" d="M17 28.5h19M17 37h11" />
    </svg>
  );
}
