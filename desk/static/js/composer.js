// The composer: drafts survive, what is sent acts once however often it is tried, refusals keep the text.
import { hasGap, selectGap } from "./gaps.js";
import { pick, startMenu } from "./menu.js";
import { given, holdsBack, showMode, startTranslating, takeBack } from "./translate.js";

const form = document.getElementById("composer");
const text = document.getElementById("text");
const key = form?.dataset.key || "";
const place = (name) => `desk.${name}.${key}`;
let mode = "reply";
let files = [];
let outgoing = [];
let busy = false;
let wait_s = 1;
let newName = () => "";

export function startComposer(naming) {
  if (!form) return;
  newName = naming;
  outgoing = JSON.parse(localStorage.getItem(place("outgoing")) || "[]");
  startMenu(text, () => mode);
  startTranslating(() => { keepDraft(); grow(); });
  setMode(isMine() ? "reply" : localStorage.getItem(place("mode")) || "reply");
  text.addEventListener("input", () => { keepDraft(); grow(); });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || pick.isOpen || matchMedia("(pointer: coarse)").matches) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  for (const button of form.querySelectorAll("[data-mode]")) button.addEventListener("click", () => { setMode(button.dataset.mode); text.focus(); });
  document.getElementById("attach").addEventListener("click", () => document.getElementById("file").click());
  document.getElementById("file").addEventListener("change", attach);
  document.body.addEventListener("click", (event) => {
    const suggestion = event.target.closest(".suggestion");
    if (!suggestion) return;
    setMode("reply");
    text.value = suggestion.dataset.text;
    keepDraft();
    grow();
    if (!selectGap(text)) text.focus();
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => { if (event.detail.target?.id === "mine") allow(); });
  window.addEventListener("online", work);
  showOutgoing();
  work();
}

export function setMode(wanted) {
  if (!form) return;
  mode = wanted;
  localStorage.setItem(place("mode"), mode);
  form.classList.toggle("noting", mode === "note");
  for (const button of form.querySelectorAll("[data-mode]")) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  text.placeholder = text.dataset[mode];
  text.setAttribute("aria-label", text.dataset[`${mode}Label`]);
  text.value = localStorage.getItem(place(`draft.${mode}`)) || "";
  const button = document.getElementById("send");
  button.textContent = button.dataset[mode];
  showMode(mode);
  grow();
  allow();
}

const isMine = () => document.getElementById("mine").dataset.mine === "1";

function allow() {
  const blocked = mode === "reply" && !isMine();
  document.getElementById("send").disabled = blocked;
  document.getElementById("attach").disabled = blocked || mode === "note";
}

function keepDraft() {
  if (text.value) localStorage.setItem(place(`draft.${mode}`), text.value);
  else localStorage.removeItem(place(`draft.${mode}`));
}

function grow() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight + 2, innerHeight * 0.4)}px`;
}

function send() {
  const said = text.value.trim();
  if ((!said && !files.length) || (mode === "reply" && !isMine())) return;
  if (mode === "reply" && hasGap(said)) {
    trouble(form.dataset.gap);
    selectGap(text);
    return;
  }
  if (holdsBack(said)) return;
  outgoing.push({ act: newName(), mode, text: said, files: mode === "reply" ? files : [], ...given() });
  text.value = "";
  if (mode === "reply") files = [];
  if (mode === "reply") document.querySelector("#draft .drafted")?.remove(); // used up
  keepDraft();
  showFiles();
  trouble("");
  grow();
  keepOutgoing();
  work();
}

async function work() {
  if (busy || !outgoing.length) return;
  busy = true;
  const next = outgoing[0];
  const result = await post(next);
  busy = false;
  if (result === null) {
    trouble(form.dataset.notSent);
    setTimeout(work, wait_s * 1000);
    wait_s = Math.min(wait_s * 2, 30);
    return;
  }
  wait_s = 1;
  outgoing.shift();
  if (result.refusal && result.refusal !== "uncertain") giveBack(next, result.text);
  else trouble(result.text);
  keepOutgoing();
  htmx.trigger("#parts", "desk:again");
  work();
}

// Returns what the server said; null when it could not be asked and has to be asked again.
async function post(next) {
  const body = new URLSearchParams({ act: next.act, text: next.text, key, files: next.files.map((file) => file.receipt).join(" ") });
  for (const name of ["original", "original_language", "text_language", "untranslated"]) if (next[name]) body.set(name, next[name]);
  try {
    const response = await fetch(`/desk/c/${key}/${next.mode === "note" ? "note" : "say"}`, {
      method: "POST", body, headers: { "x-desk-token": document.body.dataset.csrf, "hx-request": "true", "hx-current-url": location.href }, signal: AbortSignal.timeout(20000),
    });
    if (response.status === 401) {
      giveBack(next, "");
      outgoing = [];
      keepOutgoing();
      location.assign(response.headers.get("hx-redirect") || "/desk/sign-in");
      return new Promise(() => {});
    }
    if (response.status >= 500 || response.status === 429) return null;
    const kind = response.headers.get("content-type") || "";
    return kind.includes("json") ? await response.json() : { refusal: "refused", text: await response.text() };
  } catch {
    return null;
  }
}

// Nothing is lost by a refusal: the text stands in the field again, before what was typed meanwhile.
function giveBack(next, why) {
  const draft = place(`draft.${next.mode}`);
  const typed = localStorage.getItem(draft) || "";
  localStorage.setItem(draft, typed ? `${next.text}\n${typed}` : next.text);
  if (next.mode === "reply") files = [...next.files, ...files];
  if (next.mode === "reply") takeBack(next);
  setMode(next.mode);
  showFiles();
  trouble(why);
}

function keepOutgoing() {
  if (outgoing.length) localStorage.setItem(place("outgoing"), JSON.stringify(outgoing));
  else localStorage.removeItem(place("outgoing"));
  showOutgoing();
}

function showOutgoing() {
  const shelf = document.getElementById("outgoing");
  shelf.replaceChildren(...outgoing.map((next) => {
    const line = document.createElement("li");
    line.className = `line ${next.mode === "note" ? "note" : "operator"} pending`;
    const bubble = document.createElement("div");
    bubble.className = "bubble";
    bubble.textContent = next.text || next.files.map((file) => file.name).join(", ");
    const meta = document.createElement("p");
    meta.className = "meta";
    meta.textContent = form.dataset.sending;
    line.append(bubble, meta);
    return line;
  }));
  if (outgoing.length) document.getElementById("scroll").scrollTop = 1e9;
}

function trouble(why) {
  const shown = document.getElementById("trouble");
  shown.textContent = why || "";
  shown.hidden = !why;
}

async function attach(event) {
  for (const file of event.target.files) {
    try {
      const response = await fetch(`/desk/uploads?case=${key}`, {
        method: "POST", body: file, headers: { "x-desk-token": document.body.dataset.csrf, "x-file-name": encodeURIComponent(file.name), "content-type": "application/octet-stream" },
      });
      const kept = await response.json();
      if (kept.receipt) files.push(kept);
      else trouble(`${file.name}: ${kept.text}`);
    } catch {
      trouble(`${file.name}: ${document.body.dataset.broken}`);
    }
  }
  event.target.value = "";
  showFiles();
}

function showFiles() {
  const shelf = document.getElementById("files");
  shelf.hidden = !files.length || mode === "note";
  shelf.replaceChildren(...files.map((file) => {
    const item = document.createElement("li");
    item.textContent = file.name;
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = "×";
    remove.setAttribute("aria-label", `${form.dataset.detach}: ${file.name}`);
    remove.addEventListener("click", () => { files = files.filter((each) => each !== file); showFiles(); });
    item.append(remove);
    return item;
  }));
}
