// Who is writing: shown for a few seconds, told now and then, kept nowhere.
const SHOWN_MS = 7000;
const TELL_MS = 4000;
const shown = document.getElementById("typing");
const form = document.getElementById("composer");
const known = new WeakSet();
let timer = 0;
let told = 0;

export function startTyping() {
  if (!shown || !form) return;
  document.body.addEventListener("htmx:sseOpen", (event) => {
    const source = event.detail.source;
    if (known.has(source)) return;
    known.add(source);
    source.addEventListener("typing", show);
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => { if (event.detail.target?.id === "log") hide(); });
  document.getElementById("text").addEventListener("input", tell);
}

function show() {
  clearTimeout(timer);
  timer = setTimeout(hide, SHOWN_MS);
  if (!shown.textContent) shown.textContent = shown.dataset.text;
}

function hide() {
  shown.textContent = "";
}

function tell(event) {
  const isReply = !form.classList.contains("noting") && document.getElementById("mine").dataset.mine === "1";
  if (!isReply || !event.target.value || Date.now() - told < TELL_MS) return;
  told = Date.now();
  fetch(`/desk/c/${form.dataset.key}/typing`, { method: "POST", headers: { "x-desk-token": document.body.dataset.csrf, "hx-request": "true" } }).catch(() => {});
}
