// German of `en/connection.js`.

/** @type {import("../../base/texts.js").Translation<typeof import("../en/connection.js").CONNECTION>} */
export const CONNECTION = {
  "connection.live": "Live",
  "connection.catching-up": "Holt auf …",
  "connection.stale": "Veraltet seit {span}",
  "connection.reconnecting": "Verbindet neu seit {time}",
  "connection.locked": "Token nötig",
  "connection.connecting": "Verbindet …",

  "banner.as-of": "Stand der Anzeige: {time}.",
  "banner.none-since": "Keine Verbindung seit {time}.",
  "banner.again-in": "Neuer Versuch in {n} s.",
  "banner.again-now": "Neuer Versuch läuft.",
  "banner.silent": "Vom Dienst war {span} lang nichts zu hören.",
  "banner.arrived": "Holt auf: bisher kamen {share} der Leuchten.",
  "banner.not-ready": "Der Dienst ist nicht bereit: {problems}.",
  "banner.not-ready-why": "er nennt keinen Grund",

  "connection.no-network": "Dieses Gerät hat kein Netz.",
  "connection.no-upgrade": "Der Dienst antwortet, aber seine Live-Verbindung öffnet sich nicht: ein Proxy dazwischen muss WebSockets weiterreichen und den Host lassen, wie er ist",
  "connection.no-answer": "Keine Antwort",
  "connection.not-heard": "Nichts war zu hören",
  "connection.restarting": "Der Dienst startet neu.",
  "connection.may-not-look": "Das Token erlaubt nicht, hier hineinzusehen",
  "connection.unreached": "Der Dienst ist nicht erreichbar.",
  "connection.answered": "Der Dienst antwortete mit {status}.",

  "gone": "{name} ist fort: {why}.",
  "gone.unknown": "sie ist nicht mehr bekannt",
};
