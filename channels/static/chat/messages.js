// What a message looks like: bubbles, pictures, files, cards, quick replies.
import { addText, h, icon, link, safeUrl } from "./dom.js";

const HTTP = ["http:", "https:"];

// context: {base, t, language, press(payload, title)}
export function messageNode(frame, context) {
  const mine = frame.direction === "in";
  const node = h("div", { class: `message ${mine ? "mine" : "theirs"}`, role: "article", "aria-label": mine ? context.t.you : frame.author || context.t.bot });
  for (const file of frame.attachments || []) node.append(fileNode(file, context));
  if (frame.image_url) node.append(pictureNode(frame.image_url, context));
  if (frame.text) node.append(addText(h("div", { class: "bubble", dir: "auto" }), String(frame.text), context.base));
  if (frame.cards?.length) node.append(carouselNode(frame.cards, context));
  const author = frame.author ? h("span", { class: "author", dir: "auto" }, `${frame.author} · `) : null;
  node.append(h("div", { class: "meta" }, author, timeNode(frame.at, context)));
  if (frame.buttons?.length) node.append(repliesNode(frame.buttons, context));
  return node;
}

export function timeNode(at, { language }) {
  const moment = new Date(at || Date.now());
  const shown = moment.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" });
  return h("time", { datetime: moment.toISOString() }, shown);
}

export function dayNode(at, { language, t }) {
  const day = new Date(at || Date.now());
  const ago = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 86_400_000);
  const shown = [t.today, t.yesterday][ago] || day.toLocaleDateString(language, { day: "numeric", month: "long", year: "numeric" });
  return h("div", { class: "day", "data-day": day.toDateString() }, shown);
}

function pictureNode(address, { base, t }, alt = t.picture) {
  const source = safeUrl(address, base, [...HTTP, "blob:"]);
  if (!source) return null;
  return link(source, base, h("img", { class: "picture", src: source, alt, loading: "lazy" }));
}

function fileNode(file, context) {
  if (file.kind === "image") return pictureNode(file.url, context, file.name || context.t.picture) || "";
  const source = safeUrl(file.url, context.base, HTTP);
  const name = h("span", { dir: "auto" }, file.name || file.mime_type || "");
  return source ? h("div", { class: "bubble file" }, icon("file"), link(source, context.base, name)) : h("div", { class: "bubble file" }, icon("file"), name);
}

function repliesNode(buttons, { t, press }) {
  const make = (button) => h("button", { type: "button", class: "reply", dir: "auto", onclick: () => press(button.payload, button.title) }, button.title);
  return h("div", { class: "replies", role: "group", "aria-label": t.replies }, ...buttons.map(make));
}

function carouselNode(cards, context) {
  const { t } = context;
  const row = h("ul", { class: "cards", tabindex: "0", "aria-label": t.cards }, ...cards.map((card) => cardNode(card, context)));
  const step = (sign) => row.scrollBy({ left: sign * 212, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  const arrow = (name, label, sign) => h("button", { type: "button", class: `arrow ${name}`, "aria-label": label, onclick: () => step(sign) }, icon(name));
  const frame = h("div", { class: "carousel" }, row);
  if (cards.length > 1) {
    const [left, right] = [arrow("left", t.previous, -1), arrow("right", t.next, 1)];
    const update = () => {
      left.hidden = row.scrollLeft < 4;
      right.hidden = row.scrollLeft + row.clientWidth > row.scrollWidth - 4;
    };
    row.addEventListener("scroll", update, { passive: true });
    new ResizeObserver(update).observe(row);
    frame.append(left, right);
  }
  return frame;
}

function cardNode(card, context) {
  const { base, press } = context;
  const picture = card.image_url && safeUrl(card.image_url, base, HTTP);
  const target = card.url && safeUrl(card.url, base);
  const title = h("span", { class: "card-title", dir: "auto" }, target ? link(target, base, card.title) : card.title);
  const body = h("div", { class: "card-body" }, title);
  if (card.subtitle) body.append(h("span", { class: "card-subtitle", dir: "auto" }, card.subtitle));
  if (card.price) body.append(h("strong", { class: "card-price" }, card.price));
  for (const button of card.buttons || []) {
    body.append(h("button", { type: "button", class: "card-button", dir: "auto", "aria-label": `${button.title}: ${card.title}`, onclick: () => press(button.payload, button.title) }, button.title));
  }
  return h("li", { class: "card" }, picture ? h("img", { src: picture, alt: "", loading: "lazy" }) : null, body);
}
