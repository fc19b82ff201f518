/** Ends a registration. Calling it again has no effect. */
export type Unsubscribe = () => void;
