// Whether this visitor is offered the chat. Shops that measure what the chat brings keep a share of
// their visitors without it; whoever has written already always has it.
const PATH = "/webhooks/webchat/offer";
const WAIT_MS = 4000;

function stored() {
  try { localStorage.getItem("tresen-chat"); return localStorage; } catch { return null; }
}

function hasTalked(keys, server) {
  const session = `tresen-chat:${new URL(server).origin}`;
  return keys.some((key) => key === session || key.startsWith(`${session}:pending:`));
}

const newId = () =>
  crypto.randomUUID ? crypto.randomUUID() : [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

// Returns {offered, group, visitor}: group is "chat", "hold_out", or "" for whoever is not counted.
export async function offerTo(server, own = "", storage = stored(), ask = fetch) {
  const key = `tresen-chat-visitor:${new URL(server).origin}`;
  const everybody = { offered: true, group: "", visitor: "" };
  if (!storage && !own) return everybody; // Without a lasting id the group would change with every page.
  if (storage && hasTalked(Object.keys(storage), server)) return everybody;
  const visitor = own || storage.getItem(key) || newId();
  try {
    const response = await ask(new URL(PATH, server).href, { method: "POST", body: visitor, credentials: "omit", signal: AbortSignal.timeout(WAIT_MS) });
    if (!response.ok) return everybody;
    const { offered, counted } = await response.json();
    if (!counted) return everybody;
    if (!own) storage.setItem(key, visitor);
    return { offered: offered !== false, group: offered === false ? "hold_out" : "chat", visitor };
  } catch {
    return everybody; // Rather a chat too many than somebody without help.
  }
}
