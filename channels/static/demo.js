// Buttons of the demo shop that open the chat or ask something in it.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-chat-open], [data-chat-text]");
  if (!button) return;
  window.TresenChat.open();
  if (button.dataset.chatText) window.TresenChat.send(button.dataset.chatText);
});
