// Building nodes from strings that nobody may trust: text is only ever textContent.
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

const ICONS = {
  chat: "M12 3C6.5 3 2 6.7 2 11.2c0 2.6 1.5 4.9 3.8 6.4L5 21.5l4.5-2.3c.8.2 1.6.2 2.5.2 5.5 0 10-3.7 10-8.2S17.5 3 12 3z",
  close: "M6 6l12 12M18 6L6 18", send: "M4 12l16-8-6 16-3-6.5z", clip: "M20 11l-8.5 8.5a5 5 0 01-7-7L13 4a3.5 3.5 0 015 5l-8.5 8.5a2 2 0 01-3-3L14 7",
  restart: "M4 12a8 8 0 108-8c-2.8 0-5 1.3-6.5 3.3M5 3v4.5h4.5", left: "M15 5l-7 7 7 7", right: "M9 5l7 7-7 7", file: "M6 3h8l4 4v14H6zM14 3v4h4",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" })) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// An absolute address that is safe to follow, or null.
export function safeUrl(address, base, protocols = ["http:", "https:", "mailto:", "tel:"]) {
  try {
    const url = new URL(address, base);
    return protocols.includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

const LINK = /(https?:\/\/[^\s<>"'`]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<![^\s(])\/[a-z][\w-]*\/[\w\-./#?=&]+)/giu;

// Adds text with its addresses as links: to the web, to a mailbox, or to a page of the shop.
export function addText(node, text, base) {
  let from = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = match[0].replace(/[.,;:!?)\]]+$/, "");
    const href = safeUrl(shown.includes("@") && !shown.includes("/") ? `mailto:${shown}` : shown, base);
    if (!href) continue;
    node.append(text.slice(from, match.index), link(href, base, shown));
    from = match.index + shown.length;
  }
  node.append(text.slice(from));
  return node;
}

// A link; pages of the shop itself open in this tab, others in a new one.
export function link(href, base, ...children) {
  const own = new URL(href).origin === new URL(base).origin && new URL(href).origin === location.origin;
  return h("a", own ? { href } : { href, target: "_blank", rel: "noopener noreferrer nofollow" }, ...children);
}
