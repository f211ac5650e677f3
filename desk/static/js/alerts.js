// Sounds and browser notifications, each only where this browser's operator asked for it.
const settings = { sound: "desk.sound", notify: "desk.notify" };
let waiting = count();
let heard = newest();
let audio = null;

export function startAlerts() {
  document.body.addEventListener("htmx:afterSettle", look);
  document.body.addEventListener("htmx:oobAfterSwap", look);
  for (const [name, key] of Object.entries(settings)) {
    const box = document.getElementById(`alert-${name}`);
    if (!box) continue;
    box.checked = localStorage.getItem(key) === "1";
    box.addEventListener("change", () => change(name, key, box));
  }
  title();
}

export function notify(text, path = "") {
  beep();
  if (localStorage.getItem(settings.notify) !== "1" || !("Notification" in window) || Notification.permission !== "granted" || document.hasFocus()) return;
  const shown = new Notification(text, { tag: path || "desk" });
  shown.addEventListener("click", () => { window.focus(); if (path) location.assign(path); });
}

function look() {
  const nowWaiting = count(), nowHeard = newest();
  if (nowWaiting > waiting) notify(document.body.dataset.waitingText);
  if (nowHeard > heard) notify(document.body.dataset.messageText, location.pathname);
  waiting = nowWaiting;
  heard = nowHeard;
  title();
}

async function change(name, key, box) {
  if (name === "notify" && box.checked && (!("Notification" in window) || await Notification.requestPermission() !== "granted")) {
    box.checked = false;
    document.getElementById("alert-denied").hidden = false;
  }
  localStorage.setItem(key, box.checked ? "1" : "0");
  if (name === "sound" && box.checked) beep();
}

function beep() {
  if (localStorage.getItem(settings.sound) !== "1") return;
  audio ||= new AudioContext();
  for (const [tone, at] of [[660, 0], [880, 0.12]]) {
    const voice = audio.createOscillator(), loud = audio.createGain();
    voice.frequency.value = tone;
    loud.gain.setValueAtTime(0.07, audio.currentTime + at);
    loud.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + at + 0.25);
    voice.connect(loud).connect(audio.destination);
    voice.start(audio.currentTime + at);
    voice.stop(audio.currentTime + at + 0.26);
  }
}

function count() {
  return Number(document.querySelector("#queue .rows")?.dataset.waiting || 0);
}

function newest() {
  return Number(document.querySelector("#log .lines")?.dataset.heard || 0);
}

function title() {
  document.title = document.title.replace(/^\(\d+\) /, "");
  if (waiting) document.title = `(${waiting}) ${document.title}`;
}
