// What the widget says by itself, in German and English.
const STRINGS = {
  de: {
    title: "Kundenservice", subtitle: "Digitaler Assistent", launch: "Chat öffnen", close: "Chat schließen",
    restart: "Neues Gespräch beginnen", restartSure: "Neues Gespräch beginnen? Der bisherige Verlauf wird hier nicht mehr gezeigt.",
    unread: (n) => (n === 1 ? "1 ungelesene Nachricht" : `${n} ungelesene Nachrichten`),
    log: "Gesprächsverlauf", input: "Ihre Nachricht", placeholder: "Nachricht schreiben …", send: "Senden",
    attach: "Bild oder PDF anhängen", remove: "Anhang entfernen", uploading: "Wird hochgeladen …",
    greeting: "Hallo! Ich bin der digitale Assistent. Fragen Sie mich nach Bestellungen, Lieferungen, Rückgaben oder Produkten.",
    typing: "schreibt …", you: "Sie", bot: "Assistent", picture: "Bild", cards: "Vorschläge", replies: "Antwortvorschläge",
    connecting: "Verbindung wird aufgebaut …", offline: "Keine Verbindung. Ihre Nachrichten werden gesendet, sobald sie wieder steht.",
    refused: "Der Chat ist zurzeit nicht verfügbar.", sending: "Wird gesendet …", waiting: "Wartet auf Verbindung", sent: "Gesendet",
    failed: "Nicht gesendet.", retry: "Erneut versuchen", tooBig: "Die Datei ist zu groß (höchstens 10 MB).",
    wrongType: "Möglich sind PNG, JPEG, WebP, GIF und PDF.", uploadFailed: "Das Hochladen ist fehlgeschlagen.",
    previous: "Vorherige", next: "Weitere", today: "Heute", yesterday: "Gestern",
  },
  en: {
    title: "Customer service", subtitle: "Digital assistant", launch: "Open chat", close: "Close chat",
    restart: "Start a new conversation", restartSure: "Start a new conversation? The present one will no longer be shown here.",
    unread: (n) => (n === 1 ? "1 unread message" : `${n} unread messages`),
    log: "Conversation", input: "Your message", placeholder: "Write a message …", send: "Send",
    attach: "Attach a picture or PDF", remove: "Remove attachment", uploading: "Uploading …",
    greeting: "Hello! I am the digital assistant. Ask me about orders, deliveries, returns or products.",
    typing: "is typing …", you: "You", bot: "Assistant", picture: "Picture", cards: "Suggestions", replies: "Suggested replies",
    connecting: "Connecting …", offline: "No connection. Your messages will be sent as soon as it is back.",
    refused: "The chat is not available at the moment.", sending: "Sending …", waiting: "Waiting for connection", sent: "Sent",
    failed: "Not sent.", retry: "Try again", tooBig: "The file is too large (10 MB at most).",
    wrongType: "PNG, JPEG, WebP, GIF and PDF are possible.", uploadFailed: "The upload failed.",
    previous: "Previous", next: "More", today: "Today", yesterday: "Yesterday",
  },
};

export function pickLanguage(element) {
  const wishes = [element.dataset.lang, document.documentElement.lang, ...(navigator.languages || [])];
  for (const wish of wishes) {
    const code = (wish || "").slice(0, 2).toLowerCase();
    if (STRINGS[code]) return code;
  }
  return "en";
}

export const stringsFor = (language) => STRINGS[language];
