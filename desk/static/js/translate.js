// Writing in one's own language: Enter translates, what came back is looked at, and only that is sent.
const LOOK_MS = 700; // a second Enter that came too soon to have looked sends nothing
const form = document.getElementById("composer");
const text = document.getElementById("text");
const box = document.getElementById("original");
const told = document.getElementById("translated-told");
const key = form?.dataset.key || "";
const place = `desk.original.${key}`;
let mode = "reply";
let state = fresh();
let asking = null;
let readyAt = 0;
let keepDraft = () => {};

// `own` is what the operator wrote, `asIs` that the field goes out as it stands.
function fresh() {
  return { own: "", from: "", into: "", asIs: false };
}

const tongue = () => document.getElementById("tongue")?.dataset || {};
const isOn = () => tongue().on === "1" && mode === "reply";
const isReady = () => Boolean(state.own) || state.asIs;

export function startTranslating(keep) {
  if (!box) return;
  keepDraft = keep;
  state = { ...fresh(), ...JSON.parse(localStorage.getItem(place) || "{}") };
  document.getElementById("original-back").addEventListener("click", back);
  text.addEventListener("input", () => {
    if (asking) stop();
    if (!text.value) change(fresh());
  });
  document.body.addEventListener("click", (event) => {
    if (event.target.closest(".suggestion") && isOn()) change({ ...fresh(), asIs: tongue().offered === tongue().theirs });
  });
  document.body.addEventListener("htmx:oobAfterSwap", (event) => { if (event.detail.target?.id === "tongue") show(); });
  show();
}

export function showMode(wanted) {
  mode = wanted;
  show();
}

// Whether what is in the field must not go out yet; if so, its translation is asked for.
export function holdsBack(said) {
  if (!isOn() || !said) return false;
  if (asking || (isReady() && performance.now() - readyAt < LOOK_MS)) return true;
  if (isReady()) return false;
  ask(said);
  return true;
}

// What goes along with a text that is sent.
export function given() {
  if (mode !== "reply") return {};
  const { own, from, into, asIs } = state;
  change(fresh());
  if (own) return { original: own, original_language: from, text_language: into };
  return asIs ? { untranslated: "1" } : {};
}

// A refused text comes back with what it was written from.
export function takeBack(next) {
  change({ own: next.original || "", from: next.original_language || "", into: next.text_language || "", asIs: next.untranslated === "1" });
}

async function ask(said) {
  asking = new AbortController();
  tell(box.dataset.wait);
  form.setAttribute("aria-busy", "true");
  const mine = asking;
  let answer;
  try {
    const response = await fetch(`/desk/c/${key}/translate`, {
      method: "POST", body: new URLSearchParams({ text: said }), headers: { "x-desk-token": document.body.dataset.csrf, "hx-request": "true", "hx-current-url": location.href }, signal: AbortSignal.any([mine.signal, AbortSignal.timeout(40000)]),
    });
    if (response.status === 401) location.assign(response.headers.get("hx-redirect") || "/desk/sign-in");
    answer = response.headers.get("content-type")?.includes("json") ? await response.json() : {};
  } catch {
    answer = {};
  }
  if (mine !== asking) return;
  stop();
  if (!answer.text) {
    tell(answer.told || document.body.dataset.broken, "bad");
    return;
  }
  text.value = answer.text;
  readyAt = performance.now();
  change({ own: said, from: answer.original_language, into: answer.language, asIs: false });
  tell(answer.is_sure ? box.dataset.ready : box.dataset.differs, answer.is_sure ? "" : "bad");
  keepDraft();
  text.focus();
}

function stop() {
  asking?.abort();
  asking = null;
  form.removeAttribute("aria-busy");
  tell("");
}

// Back to one's own text; or, where there is none, between "as it stands" and "translated".
function back() {
  if (state.own) {
    text.value = state.own;
    change(fresh());
  } else {
    readyAt = performance.now();
    change({ ...fresh(), asIs: !state.asIs });
  }
  tell("");
  keepDraft();
  text.focus();
}

function change(wanted) {
  state = wanted;
  if (isReady()) localStorage.setItem(place, JSON.stringify(state));
  else localStorage.removeItem(place);
  show();
}

function show() {
  if (!box) return;
  const on = isOn();
  const button = document.getElementById("send");
  const keys = document.getElementById("send-keys");
  keys.dataset.plain ||= keys.textContent;
  box.hidden = !on;
  text.lang = on ? (isReady() ? state.into || tongue().theirs : tongue().mine) : "";
  keys.textContent = on ? box.dataset.keys : keys.dataset.plain;
  if (mode === "reply") button.textContent = on && !isReady() ? box.dataset.translate : button.dataset.reply;
  if (!on) return;
  const own = document.getElementById("original-text");
  document.getElementById("original-title").textContent = state.own ? box.dataset.own : state.asIs ? box.dataset.asIs : "";
  own.textContent = state.own;
  own.lang = state.from || tongue().mine;
  document.getElementById("original-back").textContent = state.own ? box.dataset.back : state.asIs ? box.dataset.afterAll : box.dataset.leave;
}

function tell(what, kind = "") {
  told.textContent = what;
  told.className = `told ${kind}`;
}
