// Keys: J K walk the queue, R N T G E act on the conversation, ? shows them all.
import { openDialog } from "./dialogs.js";
import { setMode } from "./composer.js";

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const inText = event.target.matches("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") return leave(event, inText);
    if (inText || document.querySelector("dialog[open]")) return;
    const act = KEYS[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}

const KEYS = {
  j: () => walk(1),
  k: () => walk(-1),
  r: () => write("reply"),
  n: () => write("note"),
  t: () => document.querySelector("#bar [data-act=take]")?.click(),
  g: () => document.querySelector("#bar [data-dialog=transfer]")?.click(),
  e: () => document.querySelector("#bar [data-dialog=close]")?.click(),
  u: () => document.querySelector("#bar [data-act=translating]")?.click(),
  "/": () => write("reply", "/"),
  "?": () => openDialog("keys"),
};

function walk(step) {
  const links = [...document.querySelectorAll("#queue .row > a")];
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  const open = links.findIndex((link) => link.getAttribute("aria-current") === "page");
  const from = here >= 0 ? here : open;
  const next = from < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, from + step));
  links[next].focus();
  links[next].scrollIntoView({ block: "nearest" });
}

function write(mode, begin = "") {
  const text = document.getElementById("text");
  if (!text) return;
  setMode(mode);
  text.focus();
  if (begin && !text.value) {
    text.value = begin;
    text.dispatchEvent(new Event("input"));
  }
}

function leave(event, inText) {
  if (inText) event.target.blur();
  else if (!document.querySelector("dialog[open]") && document.body.classList.contains("at-case")) location.assign("/desk");
}
