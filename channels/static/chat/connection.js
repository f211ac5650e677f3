// The line to the server: one session kept in localStorage, messages kept until acknowledged,
// reconnecting with backoff, and every numbered message delivered once and in order.
const TYPES_MS = 3000;
const PING_MS = 20_000;
const SILENCE_MS = 12_000;
const ACK_MS = 15_000;
const HOLD_MS = 2500;
const MAX_WAIT_MS = 30_000;

const store = {
  get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* Private mode: kept in memory only. */ } },
  drop(key) { try { localStorage.removeItem(key); } catch { /* Nothing was kept. */ } },
  keys(start) { try { return Object.keys(localStorage).filter((key) => key.startsWith(start)); } catch { return []; } },
};

export const newId = () =>
  crypto.randomUUID ? crypto.randomUUID() : [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

export class Connection extends EventTarget {
  constructor(server) {
    super();
    this.server = server;
    this.key = `tresen-chat:${new URL(server).origin}`;
    this.session = store.get(this.key);
    this.lastSeq = 0;
    this.conversation = ""; // the server's name for the one that is shown; empty for our own
    this.state = "idle"; // idle, connecting, online, offline, refused
    this.attempt = 0;
    this.pending = new Map(); // client id → {id, at, frame, shown}; unacknowledged, in order of writing
    this.restorePending();
    addEventListener("online", () => this.state !== "idle" && this.state !== "online" && this.connect());
    addEventListener("offline", () => this.socket && this.drop());
  }

  get readKey() { return `${this.key}:read${this.conversation && `:${this.conversation}`}`; }

  get readSeq() { return store.get(this.readKey) || 0; }

  set readSeq(seq) {
    if (seq <= this.readSeq) return;
    store.set(this.readKey, seq);
    this.transmit({ type: "read", seq });
  }

  restorePending() {
    const kept = store.keys(`${this.key}:pending:`).map((key) => store.get(key)).filter((item) => item && item.frame);
    for (const item of kept.sort((a, b) => a.at - b.at)) this.pending.set(item.id, item);
  }

  send(frame, shown) {
    const item = { id: newId(), at: Date.now(), frame, shown };
    return this.enqueue(item);
  }

  enqueue(item) {
    this.pending.set(item.id, item);
    store.set(`${this.key}:pending:${item.id}`, item);
    if (this.state !== "online") this.connect();
    else if (!this.holding) this.post(item);
    return item;
  }

  settle(id) {
    this.pending.delete(id);
    store.drop(`${this.key}:pending:${id}`);
  }

  post(item) {
    this.transmit({ ...item.frame, type: "message", id: item.id });
    clearTimeout(this.ackTimer);
    this.ackTimer = setTimeout(() => this.pending.size && this.drop(), ACK_MS);
  }

  transmit(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  // That somebody is writing here is told now and then; only a person who has the conversation sees it.
  types() {
    if (Date.now() - (this.typedAt || 0) < TYPES_MS) return;
    this.typedAt = Date.now();
    this.transmit({ type: "typing" });
  }

  async connect() {
    if (this.socket || this.opening) return;
    clearTimeout(this.retryTimer);
    this.opening = true;
    this.setState(this.attempt ? "offline" : "connecting");
    try {
      if (!this.session) await this.openSession();
      this.openSocket();
    } catch (error) {
      if (error.refused) this.setState("refused");
      else this.retryLater();
    } finally {
      this.opening = false;
    }
  }

  async openSession() {
    const response = await fetch(new URL("/webhooks/webchat/session", this.server), { method: "POST", credentials: "omit" });
    if (!response.ok) throw Object.assign(new Error("no session"), { refused: response.status === 403 });
    const other = store.get(this.key); // Another tab may have been quicker.
    this.session = other || (await response.json());
    store.set(this.key, this.session);
  }

  openSocket() {
    const address = new URL("/webhooks/webchat/ws", this.server);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.socket = socket;
    this.silenceTimer = setTimeout(() => this.drop(), SILENCE_MS);
    socket.onopen = () => this.transmit({ type: "resume", ...this.session, after_seq: this.lastSeq, conversation: this.conversation });
    socket.onmessage = (event) => socket === this.socket && this.take(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.lost(event.code);
  }

  take(frame) {
    clearTimeout(this.silenceTimer);
    if (frame.type === "ready") this.ready();
    else if (frame.type === "message") this.deliver(frame);
    else if (frame.type === "conversation") this.move(frame.conversation);
    else if (frame.type === "ack") { this.settle(frame.id); this.tell("ack", frame); }
    else if (frame.type === "typing") this.tell("typing", frame);
    else if (frame.type === "error" && frame.id) this.rejected(frame);
  }

  ready() {
    this.attempt = 0;
    this.setState("online");
    clearInterval(this.pingTimer);
    this.pingTimer = setInterval(() => this.ping(), PING_MS);
    if (!this.holding) this.postAll();
  }

  ping() {
    this.transmit({ type: "ping" });
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.drop(), SILENCE_MS);
  }

  deliver(frame) {
    if (frame.seq <= this.lastSeq) return;
    this.lastSeq = frame.seq;
    if (frame.direction === "in") this.settle(frame.id);
    this.tell("message", frame);
  }

  // Another conversation is shown from now on, from its beginning: one was joined, or left.
  move(conversation) {
    this.conversation = conversation;
    this.lastSeq = 0;
    this.tell("moved", {});
  }

  rejected(frame) {
    const item = this.pending.get(frame.id);
    if (!item) return;
    if (frame.retry) {
      this.hold();
    } else {
      this.settle(frame.id);
      this.tell("failed", { item, message: frame.message });
    }
  }

  // The server wants it slower: wait, then send everything again in order.
  hold() {
    if (this.holding) return;
    this.holding = setTimeout(() => {
      this.holding = null;
      if (this.state === "online") this.postAll();
    }, HOLD_MS);
  }

  postAll() {
    for (const item of this.pending.values()) this.post(item);
  }

  // Gives the socket up without waiting for its close handshake, which may take minutes.
  drop() {
    const socket = this.socket;
    this.lost(0);
    socket?.close();
  }

  lost(code) {
    this.socket = null;
    clearInterval(this.pingTimer);
    clearTimeout(this.silenceTimer);
    clearTimeout(this.ackTimer);
    if (code === 4403) return this.setState("refused");
    if (code === 4401) this.forget();
    this.retryLater();
  }

  retryLater() {
    this.setState("offline");
    this.attempt += 1;
    const wait = Math.min(MAX_WAIT_MS, 400 * 2 ** Math.min(this.attempt, 8)) * (0.6 + Math.random() * 0.4);
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.connect(), wait);
  }

  forget() {
    this.session = null;
    this.lastSeq = 0;
    this.conversation = "";
    for (const key of [this.key, ...store.keys(`${this.key}:read`)]) store.drop(key);
    this.tell("forgotten", {});
  }

  restart() {
    for (const id of [...this.pending.keys()]) this.settle(id);
    this.forget();
    this.drop();
    this.attempt = 0;
    this.connect();
  }

  async upload(file) {
    if (!this.session) await this.openSession();
    const response = await fetch(new URL("/webhooks/webchat/upload", this.server), {
      method: "POST",
      credentials: "omit",
      body: file,
      headers: {
        "content-type": "application/octet-stream",
        authorization: `Bearer ${this.session.token}`,
        "x-session-id": this.session.session_id,
        "x-file-name": encodeURIComponent(file.name.slice(0, 80)),
      },
    });
    if (!response.ok) throw Object.assign(new Error("upload"), { status: response.status });
    return response.json();
  }

  setState(state) {
    if (state === this.state) return;
    this.state = state;
    this.tell("state", { state });
  }

  tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
