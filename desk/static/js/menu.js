// The list over the text field: prepared replies after a /, colleagues after an @ in a note.
const menu = document.getElementById("menu");
export const pick = { isOpen: false };
let field = null;
let at = 0;
let chosen = 0;

export function startMenu(text, mode) {
  field = text;
  text.addEventListener("input", () => offer(mode()));
  text.addEventListener("blur", () => setTimeout(close, 150));
  text.addEventListener("keydown", (event) => {
    if (!pick.isOpen) return;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) choose(chosen + steps[event.key]);
    else if (event.key === "Enter" || event.key === "Tab") menu.children[chosen].click();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  });
}

function offer(mode) {
  const before = field.value.slice(0, field.selectionStart);
  const sign = mode === "note" ? "@" : "/";
  const found = before.match(mode === "note" ? /(?:^|\s)@([^@\n]{0,40})$/ : /(?:^|\s)\/([\w-]*)$/);
  if (!found) return close();
  at = before.lastIndexOf(sign);
  const typed = found[1].toLowerCase();
  const options = mode === "note" ? people(typed) : prepared(typed);
  if (!options.length) return close();
  menu.replaceChildren(...options.map(({ label, detail, text }, number) => {
    const item = document.createElement("li");
    item.role = "option";
    item.id = `option-${number}`;
    const name = document.createElement("b");
    name.textContent = label;
    const rest = document.createElement("span");
    rest.textContent = detail;
    item.append(name, rest);
    item.addEventListener("mousedown", (event) => event.preventDefault());
    item.addEventListener("click", () => put(text));
    return item;
  }));
  menu.hidden = false;
  pick.isOpen = true;
  choose(0);
}

function prepared(typed) {
  const all = [...document.querySelectorAll("#prepared li")].map((item) => ({ label: `/${item.dataset.shortcut}`, detail: item.dataset.title || item.textContent, text: item.textContent, words: `${item.dataset.shortcut} ${item.dataset.title}`.toLowerCase() }));
  return all.filter(({ words }) => words.includes(typed)).sort((a, b) => b.words.startsWith(typed) - a.words.startsWith(typed)).slice(0, 8);
}

function people(typed) {
  return [...document.querySelectorAll("#people li")].map((item) => item.textContent).filter((name) => name.toLowerCase().includes(typed.trim())).slice(0, 8).map((name) => ({ label: `@${name}`, detail: "", text: `@${name} ` }));
}

function choose(number) {
  chosen = (number + menu.children.length) % menu.children.length;
  for (const [place, item] of [...menu.children].entries()) item.setAttribute("aria-selected", String(place === chosen));
  menu.children[chosen].scrollIntoView({ block: "nearest" });
  field.setAttribute("aria-activedescendant", `option-${chosen}`);
}

function put(text) {
  const end = field.selectionStart;
  field.setRangeText(text, at, end, "end");
  close();
  field.dispatchEvent(new Event("input"));
  close();
  field.focus();
}

function close() {
  menu.hidden = true;
  pick.isOpen = false;
  field.removeAttribute("aria-activedescendant");
}
