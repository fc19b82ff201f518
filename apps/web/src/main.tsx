import { render } from "preact";
import { App } from "./app.tsx";
import { createSessionStore } from "./session/session-store.ts";
import { takeSignInKey } from "./session/sign-in-key.ts";
import "./styles/index.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root.");
takeSignInKey();
// The printed address, opened where the page is already, loads nothing.
addEventListener("hashchange", takeSignInKey);
render(<App sessions={createSessionStore()} />, root);
