// The transcript: stays at its end while one reads there, keeps what is folded open.
const scroll = document.getElementById("scroll");
const jump = document.getElementById("jump");
let wasAtEnd = true;

export function startTalk() {
  if (globalThis.Idiomorph) {
    // Whether something is unfolded is the reader's, not the server's.
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.matches("details"));
  }
  for (const button of document.querySelectorAll(".switch [data-show]")) {
    button.addEventListener("click", () => show(button.dataset.show));
  }
  if (!scroll) return;
  toEnd();
  scroll.addEventListener("scroll", () => { wasAtEnd = atEnd(); if (wasAtEnd) jump.hidden = true; }, { passive: true });
  jump.addEventListener("click", toEnd);
  const log = document.getElementById("log");
  let last = lastSeq(log);
  document.body.addEventListener("htmx:oobAfterSwap", (event) => {
    if (event.detail.target?.id !== "log") return;
    const now = lastSeq(document.getElementById("log"));
    if (wasAtEnd) toEnd(); else if (now > last) jump.hidden = false;
    last = now;
  });
  const sizes = new ResizeObserver(() => { if (wasAtEnd) toEnd(); });
  for (const part of [scroll, log]) sizes.observe(part); // translations come later and make it longer
}

export function toEnd() {
  scroll.scrollTop = scroll.scrollHeight;
  jump.hidden = true;
  wasAtEnd = true;
}

export function show(part) {
  document.body.dataset.part = part;
  for (const button of document.querySelectorAll(".switch [data-show]")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === part));
  }
}

function atEnd() {
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
}

function lastSeq(log) {
  const lines = log.querySelectorAll("[data-seq]");
  return lines.length ? Number(lines[lines.length - 1].dataset.seq) : 0;
}
