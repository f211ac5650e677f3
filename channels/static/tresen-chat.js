// The one script tag: <script src="https://shop.example/static/tresen-chat.js" data-lang="de" async></script>
// Loads the <tresen-chat> element and puts one on the page, with the tag's data-… attributes.
(() => {
  const script = document.currentScript || document.querySelector('script[src*="tresen-chat.js"]');
  const calls = [];
  const later = (name) => (...args) => calls.push([name, args]);
  window.TresenChat = { open: later("open"), close: later("close"), toggle: later("toggle"), send: later("send") };

  const start = async () => {
    await import(new URL("chat/element.js", script.src).href);
    let chat = document.querySelector("tresen-chat");
    if (!chat) {
      chat = document.createElement("tresen-chat");
      for (const [key, value] of Object.entries(script.dataset)) chat.dataset[key] = value;
      if (!chat.dataset.server) chat.dataset.server = new URL(script.src).origin;
      document.body.append(chat);
    }
    for (const name of Object.keys(window.TresenChat)) {
      window.TresenChat[name] = (...args) => chat[name](...args);
    }
    for (const [name, args] of calls) chat[name](...args);
  };
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start, { once: true });
})();
