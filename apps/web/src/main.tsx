import { render } from "preact";
import { App } from "./app.tsx";
import { createSessionStore } from "./session/session-store.ts";
import "./styles/index.css";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id root.");
render(<App sessions={createSessionStore()} />, root);
