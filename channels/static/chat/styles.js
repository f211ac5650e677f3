// The widget's looks. A shop themes it with the --tresen-… variables on <tresen-chat> or :root.
const LIGHT = `
  --_accent: var(--tresen-accent, #0b5d66); --_on-accent: var(--tresen-on-accent, #fff);
  --_surface: var(--tresen-surface, #fff); --_raised: var(--tresen-raised, #f2f4f4); --_text: var(--tresen-text, #1b2426);
  --_muted: var(--tresen-muted, #5a686b); --_line: var(--tresen-line, #dde3e4); --_danger: #b3261e; --_badge: #c62828;
  --_shadow: 0 12px 40px rgb(10 30 34 / .22); color-scheme: light;`;
const DARK = `
  --_accent: var(--tresen-accent-dark, #79d2c6); --_on-accent: var(--tresen-on-accent-dark, #06282a);
  --_surface: var(--tresen-surface-dark, #161d1f); --_raised: var(--tresen-raised-dark, #232c2f); --_text: var(--tresen-text-dark, #e9efef);
  --_muted: var(--tresen-muted-dark, #a3b1b4); --_line: var(--tresen-line-dark, #354144); --_danger: #ffb4ab; --_badge: #e5484d;
  --_shadow: 0 12px 40px rgb(0 0 0 / .6); color-scheme: dark;`;

export const CSS = `
:host { ${LIGHT} position: fixed; z-index: var(--tresen-z, 2147483000); inset: auto var(--tresen-gap, 20px) var(--tresen-gap, 20px) auto;
  font: 15px/1.45 var(--tresen-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif); color: var(--_text); }
:host([data-position=left]) { inset: auto auto var(--tresen-gap, 20px) var(--tresen-gap, 20px); }
@media (prefers-color-scheme: dark) { :host(:not([data-theme=light])) { ${DARK} } }
:host([data-theme=dark]) { ${DARK} }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--_accent); outline-offset: 2px; }
.icon { width: 22px; height: 22px; fill: none; stroke: currentColor; stroke-width: 1.9; stroke-linecap: round; stroke-linejoin: round; display: block; flex: none; }
.launcher { width: 60px; height: 60px; border: 0; border-radius: 50%; background: var(--_accent); color: var(--_on-accent); box-shadow: var(--_shadow);
  display: grid; place-items: center; position: relative; transition: transform .15s; }
.launcher:hover { transform: scale(1.05); }
.launcher .icon { width: 28px; height: 28px; }
.badge { position: absolute; top: -4px; right: -4px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 11px; background: var(--_badge); color: #fff;
  font-size: 12.5px; font-weight: 700; line-height: 22px; text-align: center; }
.panel { width: min(400px, calc(100vw - 32px)); height: min(680px, calc(100dvh - 40px)); background: var(--_surface); border: 1px solid var(--_line);
  border-radius: var(--tresen-radius, 18px); box-shadow: var(--_shadow); display: flex; flex-direction: column; overflow: hidden; animation: rise .18s ease-out; }
@keyframes rise { from { opacity: 0; transform: translateY(14px); } }
header { display: flex; align-items: center; gap: 11px; padding: 12px 10px 12px 16px; background: var(--_accent); color: var(--_on-accent); }
header :focus-visible { outline-color: var(--_on-accent); outline-offset: -3px; }
.avatar { width: 38px; height: 38px; border-radius: 50%; background: color-mix(in srgb, var(--_on-accent) 18%, transparent); display: grid; place-items: center; flex: none; }
.names { flex: 1; min-width: 0; line-height: 1.25; }
h2 { font-size: 16px; margin: 0; font-weight: 650; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.subtitle { font-size: 13px; opacity: .86; }
.tool { width: 40px; height: 40px; border: 0; border-radius: 10px; background: none; display: grid; place-items: center; flex: none; }
.tool:hover { background: color-mix(in srgb, currentColor 14%, transparent); }
.notice { padding: 8px 16px; font-size: 13px; background: var(--_raised); border-bottom: 1px solid var(--_line); color: var(--_text); }
.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 14px 14px 6px; display: flex; flex-direction: column; }
.log > :first-child { margin-top: auto; }
.day { align-self: center; font-size: 12px; color: var(--_muted); margin: 10px 0 6px; }
.message { display: flex; flex-direction: column; gap: 5px; margin: 4px 0; max-width: 100%; align-items: flex-start; }
.mine { align-items: flex-end; }
.bubble { max-width: 86%; padding: 9px 13px; border-radius: 16px; border-bottom-left-radius: 5px; background: var(--_raised); white-space: pre-wrap; overflow-wrap: anywhere; }
.mine .bubble { border-radius: 16px; border-bottom-right-radius: 5px; background: var(--_accent); color: var(--_on-accent); }
.bubble a { color: inherit; text-decoration: underline; text-underline-offset: 2px; }
.theirs .bubble a { color: var(--_accent); }
.file { display: flex; gap: 8px; align-items: center; }
.picture { display: block; max-width: min(240px, 100%); max-height: 220px; border-radius: 14px; border: 1px solid var(--_line); background: var(--_raised); }
.meta { font-size: 11.5px; color: var(--_muted); padding: 0 4px; }
.sent:has(~ .mine) .status { display: none; }
.failed .meta { color: var(--_danger); }
.retry { border: 0; background: none; padding: 4px; text-decoration: underline; font-weight: 600; }
.pending .bubble { opacity: .72; }
.replies { display: flex; flex-wrap: wrap; gap: 8px; padding: 5px 0 4px; }
.reply, .card-button { min-height: 38px; padding: 7px 14px; border: 1.5px solid var(--_accent); border-radius: 19px; background: none; color: var(--_accent); font-weight: 600;
  text-align: start; overflow-wrap: anywhere; }
.reply:hover, .card-button:hover { background: var(--_accent); color: var(--_on-accent); }
.carousel { position: relative; align-self: stretch; margin: 2px -14px; }
.cards { list-style: none; display: flex; gap: 12px; overflow-x: auto; margin: 0; padding: 4px 14px 10px; scroll-snap-type: x proximity; scroll-padding: 14px; scrollbar-width: thin; }
.card { flex: 0 0 200px; scroll-snap-align: start; border: 1px solid var(--_line); border-radius: 14px; overflow: hidden; background: var(--_surface); display: flex; flex-direction: column; }
.card img { width: 100%; height: auto; aspect-ratio: 6 / 5; object-fit: cover; background: var(--_raised); display: block; }
.card-body { padding: 10px 12px 12px; display: flex; flex-direction: column; gap: 4px; flex: 1; overflow-wrap: anywhere; }
.card-title { font-weight: 650; line-height: 1.3; }
.card-title a { color: inherit; }
.card-subtitle { font-size: 13px; color: var(--_muted); }
.card-price { font-size: 16px; margin-top: auto; padding-top: 4px; }
.card-button { width: 100%; padding-inline: 6px; font-size: 14px; text-align: center; border-radius: 10px; margin-top: 4px; }
.arrow { position: absolute; top: 66px; width: 36px; height: 36px; border-radius: 50%; border: 1px solid var(--_line); background: var(--_surface); box-shadow: 0 2px 8px rgb(0 0 0 / .18); display: grid; place-items: center; }
.arrow.left { left: 6px; } .arrow.right { right: 6px; }
.typing { padding: 2px 18px 8px; display: flex; gap: 8px; align-items: center; font-size: 13px; color: var(--_muted); }
.dots { display: flex; gap: 4px; } .dots i { width: 7px; height: 7px; border-radius: 50%; background: currentColor; animation: dot 1.1s infinite; }
.dots i:nth-child(2) { animation-delay: .15s; } .dots i:nth-child(3) { animation-delay: .3s; }
@keyframes dot { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; transform: translateY(-3px); } }
form { border-top: 1px solid var(--_line); padding: 10px; background: var(--_surface); padding-bottom: max(10px, env(safe-area-inset-bottom)); }
.row { display: flex; align-items: flex-end; gap: 6px; }
textarea { flex: 1; min-width: 0; resize: none; max-height: 132px; padding: 9px 13px; border: 1.5px solid var(--_line); border-radius: 20px; background: var(--_surface); line-height: 1.4; }
textarea::placeholder { color: var(--_muted); opacity: 1; }
textarea:focus { outline: none; border-color: var(--_accent); }
.attach { color: var(--_muted); border-radius: 50%; height: 42px; }
.send { width: 42px; height: 42px; border-radius: 50%; background: var(--_accent); color: var(--_on-accent); }
.send:hover { background: color-mix(in srgb, var(--_accent) 86%, #000); }
.send .icon { fill: currentColor; stroke-width: 1; }
.send:disabled { background: var(--_raised); color: var(--_muted); cursor: default; }
.files { display: flex; flex-wrap: wrap; gap: 8px; padding: 0 2px 8px; }
.chip { display: flex; align-items: center; gap: 8px; max-width: 100%; padding: 5px; border: 1px solid var(--_line); border-radius: 12px; font-size: 13px; background: var(--_raised); }
.chip img { width: 44px; height: 44px; object-fit: cover; border-radius: 8px; }
.chip span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 170px; }
.chip .tool { width: 30px; height: 30px; } .chip .icon { width: 18px; height: 18px; }
.counter, .problem { font-size: 12px; color: var(--_muted); padding: 5px 8px 0; text-align: end; }
.over, .problem { color: var(--_danger); } .problem { text-align: start; }
.hush { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 480px) {
  :host(.open) { inset: 0; } .panel { width: 100vw; height: 100dvh; border: 0; border-radius: 0; }
  textarea { font-size: 16px; } .card { flex-basis: 72%; }
}
@media (prefers-reduced-motion: reduce) { *, *::before { animation: none !important; transition: none !important; } }
@media (forced-colors: active) { .bubble, .launcher, .send { border: 1px solid; } }
`;
