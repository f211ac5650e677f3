// Buttons of the demo shop that open the chat or ask something in it.
// For visitors of the hold-out group there is no chat to open.
function withoutChat() {
  if (window.TresenChat?.group !== "hold_out") return;
  for (const button of document.querySelectorAll("[data-chat-open], [data-chat-text]")) button.hidden = true;
}
withoutChat();
document.addEventListener("tresen:group", withoutChat);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-chat-open], [data-chat-text]");
  if (!button) return;
  window.TresenChat.open();
  if (button.dataset.chatText) window.TresenChat.send(button.dataset.chatText);
});
