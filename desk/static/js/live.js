// The stream of news: whether it is open, and what is not for htmx.
import { toast } from "./dialogs.js";
import { notify } from "./alerts.js";

const known = new WeakSet();
const offline = document.getElementById("offline");
let late = 0;

export function startLive() {
  document.body.addEventListener("htmx:sseOpen", (event) => {
    clearTimeout(late);
    late = 0;
    if (offline) offline.hidden = true;
    const source = event.detail.source;
    if (known.has(source)) return;
    known.add(source);
    source.addEventListener("calls", (message) => called(JSON.parse(message.data)));
    source.addEventListener("signed_out", () => {
      document.getElementById("gone").hidden = false;
      source.close();
    });
  });
  document.body.addEventListener("htmx:sseError", () => {
    late ||= setTimeout(() => { if (offline) offline.hidden = false; }, 2500);
  });
  setInterval(tellTimes, 20000);
}

function called(notice) {
  const { mentionText, assignedText } = document.body.dataset;
  const text = notice.kind === "mention" ? mentionText.replace("{name}", notice.operator || "") : notice.text || assignedText;
  const path = notice.case_id ? `/desk/c/${btoa(String.fromCharCode(...new TextEncoder().encode(notice.case_id))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}` : "";
  toast(text, "call", path);
  notify(text, path);
}

function tellTimes() {
  const words = JSON.parse(document.body.dataset.ago);
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
    const units = [["days", 86400], ["hours", 3600], ["min", 60]];
    const [name, length] = units.find(([, length]) => seconds >= length) || ["now", 1];
    time.textContent = words[name].replace("{n}", Math.floor(seconds / length));
  }
}
