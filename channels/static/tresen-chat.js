// The one script tag: <script src="https://shop.example/static/tresen-chat.js" data-lang="de" async></script>
// Loads the <tresen-chat> element and puts one on the page, with the tag's data-… attributes.
(() => {
  const script = document.currentScript || document.querySelector('script[src*="tresen-chat.js"]');
  const calls = [];
  const later = (name) => (...args) => calls.push([name, args]);
  window.TresenChat = { open: later("open"), close: later("close"), toggle: later("toggle"), send: later("send") };

  const start = async () => {
    let chat = document.querySelector("tresen-chat");
    const server = new URL(chat ? chat.dataset.server || "/" : script.dataset.server || new URL(script.src).origin, location.href).href;
    const { offerTo } = await import(new URL("chat/offer.js", script.src).href);
    const told = await offerTo(server, (chat || script).dataset.visitor);
    window.TresenChat.group = told.group;
    document.dispatchEvent(new CustomEvent("tresen:group", { detail: { group: told.group, visitor: told.visitor } }));
    if (!told.offered) return chat?.remove();
    await import(new URL("chat/element.js", script.src).href);
    if (!chat) {
      chat = document.createElement("tresen-chat");
      for (const [key, value] of Object.entries(script.dataset)) chat.dataset[key] = value;
      if (!chat.dataset.server) chat.dataset.server = new URL(script.src).origin;
      document.body.append(chat);
    }
    for (const name of ["open", "close", "toggle", "send"]) {
      window.TresenChat[name] = (...args) => chat[name](...args);
    }
    for (const [name, args] of calls) chat[name](...args);
  };
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start, { once: true });
})();
