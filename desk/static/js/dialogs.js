// Dialogs, the account menu, and short messages.
export function startDialogs() {
  document.body.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) openDialog(opener.dataset.dialog);
    const closer = event.target.closest("[data-close]");
    if (closer) closer.closest("dialog").close();
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (form.matches?.("form[data-closes]") && event.detail.successful) {
      form.closest("dialog").close();
      form.reset();
    }
  });
  document.querySelector("select[name=presence]")?.addEventListener("change", (event) => {
    event.target.closest(".presence").className = `presence ${event.target.value}`;
  });
}

export function openDialog(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
}

export function toast(text, kind = "good", href = "") {
  const shelf = document.getElementById("toasts");
  if (!shelf || !text) return;
  const shown = document.createElement(href ? "a" : "p");
  shown.className = `toast ${kind}`;
  shown.textContent = text;
  if (href) shown.href = href;
  shelf.append(shown);
  setTimeout(() => shown.remove(), kind === "bad" ? 9000 : 4500);
}
