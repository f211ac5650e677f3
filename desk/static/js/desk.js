// The desk in the browser: pages come from the server, this adds keys, drafts, sounds and news.
import { startAlerts } from "./alerts.js";
import { startComposer } from "./composer.js";
import { startDraft } from "./draft.js";
import { startDialogs, toast } from "./dialogs.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startTalk } from "./talk.js";
import { startTyping } from "./typing.js";

// An act keeps its name until the server has answered: pressed again after a lost connection, it is done once.
document.body.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "post") return;
  const source = event.detail.elt;
  source.dataset.actName ||= newName();
  event.detail.parameters.act = source.dataset.actName;
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr?.status) delete event.detail.elt.dataset?.actName;
});
document.body.addEventListener("htmx:sendError", () => toast(document.body.dataset.broken, "bad"));
document.body.addEventListener("htmx:responseError", (event) => {
  const { status, responseText } = event.detail.xhr;
  if (status !== 401 && event.detail.requestConfig.verb === "post") toast(responseText || document.body.dataset.broken, "bad");
});
document.body.addEventListener("desk:told", (event) => toast(event.detail.text, event.detail.kind));

export function newName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

startDialogs();
startLive();
startTalk();
startTyping();
startComposer(newName);
startDraft();
startKeys();
startAlerts();
addEventListener("load", () => { document.body.dataset.ready = ""; });
