// Where the customer writes: a growing text field, attachments with preview, the send button.
import { h, icon } from "./dom.js";

const MAX_CHARS = 10_000;
const MAX_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 5;
const TYPES = ["image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf"];

export class Composer {
  // submit(text, files) with files as [{receipt, attachment}]; upload(file) → promise of that; types() when something is typed
  constructor({ t, submit, upload, types = () => {} }) {
    Object.assign(this, { t, submit, upload, types, files: [] });
    this.input = h("textarea", { rows: "1", "aria-label": t.input, placeholder: t.placeholder, dir: "auto", enterkeyhint: "send", autocomplete: "off",
      oninput: () => { this.refresh(); if (this.input.value) this.types(); }, onkeydown: (event) => this.key(event), onpaste: (event) => this.add(event.clipboardData?.files, event) });
    this.picker = h("input", { type: "file", accept: TYPES.join(","), multiple: true, hidden: true, "aria-label": t.attach, tabindex: "-1", onchange: () => this.picked() });
    this.sendButton = h("button", { type: "submit", class: "tool send", "aria-label": t.send, disabled: true }, icon("send"));
    this.chips = h("div", { class: "files", hidden: true });
    this.counter = h("div", { class: "counter", hidden: true, role: "status" });
    this.problem = h("div", { class: "problem", hidden: true, role: "alert" });
    const attach = h("button", { type: "button", class: "tool attach", "aria-label": t.attach, title: t.attach, onclick: () => this.picker.click() }, icon("clip"));
    this.node = h("form", { onsubmit: (event) => this.send(event) }, this.chips, h("div", { class: "row" }, attach, this.picker, this.input, this.sendButton), this.counter, this.problem);
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) this.send(event);
  }

  refresh() {
    const { input } = this;
    const length = input.value.length;
    input.style.height = "auto";
    input.style.height = `${Math.min(132, input.scrollHeight + 3)}px`;
    this.counter.hidden = length < MAX_CHARS - 1000;
    this.counter.textContent = `${length.toLocaleString()} / ${MAX_CHARS.toLocaleString()}`;
    this.counter.classList.toggle("over", length > MAX_CHARS);
    const loading = this.files.some((file) => !file.done);
    this.sendButton.disabled = loading || length > MAX_CHARS || (!input.value.trim() && !this.files.length);
  }

  send(event) {
    event.preventDefault();
    this.refresh();
    if (this.sendButton.disabled) return;
    this.submit(this.input.value.trim(), this.files.map((file) => file.done));
    for (const file of this.files) if (file.preview) URL.revokeObjectURL(file.preview);
    this.files = [];
    this.input.value = "";
    this.chips.replaceChildren();
    this.chips.hidden = true;
    this.complain("");
    this.refresh();
    this.input.focus();
  }

  picked() {
    this.add(this.picker.files);
    this.picker.value = "";
  }

  add(list, event) {
    if (!list?.length) return;
    event?.preventDefault();
    this.complain("");
    for (const file of list) {
      if (!TYPES.includes(file.type)) this.complain(this.t.wrongType);
      else if (file.size > MAX_BYTES) this.complain(this.t.tooBig);
      else if (this.files.length < MAX_FILES) this.start(file);
    }
  }

  async start(file) {
    const entry = { done: null, preview: file.type.startsWith("image/") ? URL.createObjectURL(file) : "" };
    const label = h("span", { dir: "auto" }, this.t.uploading);
    const remove = h("button", { type: "button", class: "tool", "aria-label": `${this.t.remove}: ${file.name}`, onclick: () => this.drop(entry) }, icon("close"));
    entry.chip = h("div", { class: "chip" }, entry.preview ? h("img", { src: entry.preview, alt: "" }) : icon("file"), label, remove);
    this.files.push(entry);
    this.chips.append(entry.chip);
    this.chips.hidden = false;
    this.refresh();
    try {
      entry.done = await this.upload(file);
      label.textContent = file.name;
    } catch (error) {
      this.drop(entry);
      this.complain(error.status === 413 ? this.t.tooBig : error.status === 400 ? this.t.wrongType : this.t.uploadFailed);
    }
    this.refresh();
  }

  drop(entry) {
    this.files = this.files.filter((file) => file !== entry);
    entry.chip.remove();
    if (entry.preview) URL.revokeObjectURL(entry.preview);
    this.chips.hidden = !this.files.length;
    this.refresh();
    this.input.focus();
  }

  complain(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
  }
}
