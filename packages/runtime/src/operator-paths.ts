/**
 * The app id of tokens that open the operator's paths. A token's issuer in an app can make tokens for that app only, so
 * only holders of the secret can make these.
 */
export const operatorApp = "chat21-operator";

/** Where the operator's paths begin. */
export const operatorPath = "/operator";
