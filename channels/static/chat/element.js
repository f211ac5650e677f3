// <tresen-chat>: the launcher, the panel, and how both follow the connection.
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { h, icon } from "./dom.js";
import { dayNode, messageNode } from "./messages.js";
import { pickLanguage, stringsFor } from "./strings.js";
import { CSS } from "./styles.js";

const TYPING_MS = 30_000;
const PERSON_TYPES_MS = 7_000;

const timeZone = () => { try { return Intl.DateTimeFormat().resolvedOptions().timeZone; } catch { return undefined; } };

class TresenChat extends HTMLElement {
  connectedCallback() {
    if (this.shadowRoot) return;
    this.language = pickLanguage(this);
    this.t = stringsFor(this.language);
    this.server = new URL(this.dataset.server || "/", location.href).href;
    this.nodes = new Map(); // client id → node of a message of mine
    this.unread = 0;
    this.atEnd = true;
    this.build();
    this.listen();
    this.showGreeting();
    if (this.connection.session || this.connection.pending.size) this.connection.connect();
    if (this.dataset.open != null || this.wasOpen) this.open({ focus: false });
  }

  get wasOpen() {
    try { return sessionStorage.getItem("tresen-chat:open") === "1" && !matchMedia("(max-width: 480px)").matches; } catch { return false; }
  }

  // ---- what the host page may call
  open({ focus = true } = {}) {
    this.panel.hidden = false;
    this.launcher.hidden = true;
    this.classList.add("open");
    this.launcher.setAttribute("aria-expanded", "true");
    this.remember("1");
    this.connection.connect();
    this.seen();
    this.log.scrollTop = this.log.scrollHeight;
    if (focus) (matchMedia("(hover: hover)").matches ? this.composer.input : this.panel).focus();
    this.emit("open");
  }

  close() {
    if (this.panel.hidden) return;
    this.panel.hidden = true;
    this.launcher.hidden = false;
    this.classList.remove("open");
    this.launcher.setAttribute("aria-expanded", "false");
    this.remember("0");
    this.launcher.focus();
    this.emit("close");
  }

  toggle() { this.panel.hidden ? this.open() : this.close(); }

  send(text) { if (String(text).trim()) this.post({ text: String(text).trim() }); }

  // ---- building
  build() {
    const { t } = this;
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet(); // Unlike a <style>, not stopped by the page's content security policy.
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
    this.lang = this.language;
    this.badge = h("span", { class: "badge", "aria-hidden": "true", hidden: true });
    this.launcher = h("button", { type: "button", class: "launcher", "aria-label": t.launch, "aria-expanded": "false", "aria-controls": "panel", onclick: () => this.open() }, icon("chat"), this.badge);
    this.announcer = h("span", { class: "hush", role: "status" });
    this.log = h("div", { class: "log", role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": t.log, tabindex: "0" });
    this.typing = h("div", { class: "typing", role: "status", hidden: true });
    this.notice = h("div", { class: "notice", role: "status", hidden: true });
    this.composer = new Composer({ t, submit: (text, files) => this.submit(text, files), upload: (file) => this.connection.upload(file), types: () => this.connection.types() });
    const tool = (name, label, act) => h("button", { type: "button", class: `tool ${name}`, "aria-label": label, title: label, onclick: act }, icon(name));
    const title = this.dataset.title || t.title;
    const header = h("header", {}, h("div", { class: "avatar" }, icon("chat")),
      h("div", { class: "names" }, h("h2", { id: "title", dir: "auto" }, title), h("div", { class: "subtitle", dir: "auto" }, this.dataset.subtitle || t.subtitle)),
      tool("restart", t.restart, () => confirm(t.restartSure) && this.connection.restart()), tool("close", t.close, () => this.close()));
    this.panel = h("section", { class: "panel", id: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1", hidden: true },
      header, this.notice, this.log, this.typing, this.composer.node);
    root.append(this.panel, this.launcher, this.announcer);
  }

  listen() {
    const line = (this.connection = new Connection(this.server));
    line.addEventListener("message", ({ detail }) => this.deliver(detail));
    line.addEventListener("ack", ({ detail }) => this.mark(detail.id, "sent"));
    line.addEventListener("failed", ({ detail }) => this.fail(detail));
    line.addEventListener("typing", ({ detail }) => this.showTyping(detail.on, detail.name));
    line.addEventListener("state", ({ detail }) => this.showState(detail.state));
    line.addEventListener("forgotten", () => this.clear());
    line.addEventListener("moved", () => this.clear());
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") { event.stopPropagation(); this.close(); }
    });
    this.panel.addEventListener("dragover", (event) => event.preventDefault());
    this.panel.addEventListener("drop", (event) => this.composer.add(event.dataTransfer.files, event));
    document.addEventListener("visibilitychange", () => this.seen());
    this.log.addEventListener("load", () => this.follow(), true); // Pictures arrive late.
    this.log.addEventListener("scroll", () => { this.atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80; }, { passive: true });
    new ResizeObserver(() => this.follow(this.atEnd)).observe(this.log); // The text field grows.
    for (const item of line.pending.values()) this.showPending(item);
  }

  get context() {
    return { base: this.server, t: this.t, language: this.language, press: (payload, title) => this.press(payload, title) };
  }

  // ---- writing
  submit(text, files) {
    const frame = text ? { text } : {};
    if (files.length) frame.attachments = files.map((file) => file.receipt);
    this.post(frame, files.map((file) => file.attachment));
  }

  press(payload, title) {
    this.post({ payload, text: title });
    this.composer.input.focus();
  }

  post(frame, attachments = []) {
    this.showPending(this.connection.send({ ...frame, language: this.language, time_zone: timeZone() }, attachments));
    this.log.scrollTop = this.log.scrollHeight;
  }

  showPending(item) {
    this.withdrawReplies();
    const node = messageNode({ direction: "in", text: item.frame.text, attachments: item.shown, at: new Date(item.at).toISOString() }, this.context);
    node.classList.add("pending", "unplaced"); // Unplaced: without a number yet, so after all that has one.
    this.nodes.set(item.id, node);
    this.addDay(item.at);
    this.log.append(node);
    this.mark(item.id, this.connection.state === "offline" ? "waiting" : "sending");
  }

  mark(id, state) {
    const node = this.nodes.get(id);
    if (!node || node.classList.contains("failed")) return;
    node.classList.toggle("pending", state !== "sent");
    node.classList.toggle("sent", state === "sent");
    let status = node.querySelector(".status");
    if (!status) node.querySelector(".meta").append((status = h("span", { class: "status" })));
    status.textContent = ` · ${this.t[state]}`;
  }

  fail({ item, message }) {
    const node = this.nodes.get(item.id);
    if (!node) return;
    node.className = "message mine failed";
    const retry = h("button", { type: "button", class: "retry", onclick: () => { node.remove(); this.showPending(this.connection.enqueue({ ...item, at: Date.now() })); } }, this.t.retry);
    node.querySelector(".meta").replaceChildren(`${this.t.failed} `, h("span", { title: message }, retry));
  }

  // ---- receiving
  deliver(frame) {
    const mine = frame.direction === "in";
    if (mine) this.withdrawReplies();
    else this.showTyping(false);
    const known = mine && this.nodes.get(frame.id);
    const node = known && !known.classList.contains("failed") ? known : messageNode(frame, this.context);
    if (known && known !== node) known.remove();
    if (!known) this.addDay(frame.at);
    if (mine) this.nodes.set(frame.id, node);
    const firstUnplaced = this.log.querySelector(".unplaced");
    if (node !== firstUnplaced) this.log.insertBefore(node, firstUnplaced); // Unmoved nodes are not read out twice.
    node.classList.remove("unplaced");
    if (mine) this.mark(frame.id, "sent");
    if (this.atEnd || mine) this.follow(true);
    if (!mine && frame.seq > this.connection.readSeq) this.count(frame);
    this.emit("message", frame);
  }

  count(frame) {
    this.unread += 1;
    this.newest = frame.seq;
    this.showUnread();
    this.seen();
  }

  seen() {
    if (this.panel.hidden || document.hidden || !this.newest) return;
    this.connection.readSeq = this.newest;
    this.unread = 0;
    this.showUnread();
  }

  showUnread() {
    const { t, unread } = this;
    this.badge.hidden = !unread;
    this.badge.textContent = unread > 99 ? "99+" : unread;
    this.launcher.setAttribute("aria-label", unread ? `${t.launch}, ${t.unread(unread)}` : t.launch);
    this.announcer.textContent = unread && this.panel.hidden ? t.unread(unread) : "";
    this.emit("unread", { count: unread });
  }

  // Of a person, by their name, each sign counts for a few seconds; the bot says itself when it is done.
  showTyping(on, name = "") {
    clearTimeout(this.typingTimer);
    if (on) this.typingTimer = setTimeout(() => this.showTyping(false), name ? PERSON_TYPES_MS : TYPING_MS);
    if (this.typing.hidden === !on && this.typist === name) return;
    this.typist = name;
    this.typing.replaceChildren();
    if (on) this.typing.append(h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")), h("span", { class: name ? "" : "hush", dir: "auto" }, `${name || this.t.bot} ${this.t.typing}`));
    this.typing.hidden = !on;
    this.follow();
  }

  showState(state) {
    const text = { connecting: "", offline: this.t.offline, refused: this.t.refused }[state] || "";
    clearTimeout(this.noticeTimer);
    const show = () => { this.notice.textContent = text; this.notice.hidden = !text; };
    if (state === "offline") this.noticeTimer = setTimeout(show, 600); // A blink is not worth a notice.
    else show();
    if (state !== "online") this.showTyping(false);
    for (const id of this.connection.pending.keys()) this.mark(id, state === "offline" ? "waiting" : "sending");
    this.log.setAttribute("aria-busy", String(state !== "online"));
    this.emit("state", { state });
  }

  showGreeting() {
    const wishes = (this.dataset.suggestions || "").split("|").map((text) => text.trim()).filter(Boolean);
    const frame = { direction: "out", text: this.dataset.greeting || this.t.greeting, buttons: wishes.map((title) => ({ title, payload: title })) };
    const node = messageNode(frame, this.context);
    node.querySelector(".meta").remove();
    this.log.prepend(node);
    if (this.nodes.size) this.withdrawReplies();
  }

  addDay(at) {
    const day = dayNode(at, this.context);
    const days = this.log.querySelectorAll(".day");
    if (days.length && days[days.length - 1].dataset.day === day.dataset.day) return;
    this.log.insertBefore(day, this.log.querySelector(".unplaced"));
  }

  withdrawReplies() { for (const node of this.log.querySelectorAll(".replies")) node.remove(); }

  follow(always = false) {
    const { log } = this;
    if (always || log.scrollHeight - log.scrollTop - log.clientHeight < 260) log.scrollTop = log.scrollHeight;
  }

  clear() {
    this.log.replaceChildren();
    this.nodes.clear();
    this.newest = 0;
    this.unread = 0;
    this.showUnread();
    this.showTyping(false);
    this.showGreeting();
    for (const item of this.connection.pending.values()) this.showPending(item);
  }

  remember(value) { try { sessionStorage.setItem("tresen-chat:open", value); } catch { /* Not remembered. */ } }

  emit(name, detail = {}) { this.dispatchEvent(new CustomEvent(`tresen:${name}`, { detail, bubbles: true, composed: true })); }
}

customElements.define("tresen-chat", TresenChat);
