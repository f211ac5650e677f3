// A drafted reply goes into the field if nothing is typed there; else it waits to be picked.
export function startDraft() {
  const key = document.getElementById("composer")?.dataset.key;
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "draft") return;
    const drafted = document.querySelector("#draft .drafted");
    if (!drafted) return;
    if (localStorage.getItem(`desk.draft.reply.${key}`)) drafted.focus();
    else drafted.click();
  });
}
