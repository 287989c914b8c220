// How current the page is, and what went wrong between it and the service.

export const CONNECTION = /** @type {const} */ ({
  "connection.live": "Live",
  "connection.catching-up": "Catching up…",
  "connection.stale": "Stale for {span}",
  "connection.reconnecting": "Reconnecting since {time}",
  "connection.locked": "Token needed",
  "connection.connecting": "Connecting…",

  "banner.as-of": "What you see is as of {time}.",
  "banner.none-since": "No connection since {time}.",
  "banner.again-in": "Trying again in {n} s.",
  "banner.again-now": "Trying again now.",
  "banner.silent": "Nothing was heard from the service for {span}.",
  "banner.arrived": "Catching up: {share} of the lights came so far.",
  "banner.not-ready": "The service is not ready: {problems}.",
  "banner.not-ready-why": "it does not say why",

  "connection.no-network": "This device has no network.",
  "connection.no-upgrade": "The service answers, but its live connection does not open: a proxy in between has to pass websockets on, and the Host as it is",
  "connection.no-answer": "No answer",
  "connection.not-heard": "Nothing was heard",
  "connection.restarting": "The service is restarting.",
  "connection.may-not-look": "The token does not allow to look",
  "connection.unreached": "The service cannot be reached.",
  "connection.answered": "The service answered {status}.",

  "gone": "{name} is gone: {why}.",
  "gone.unknown": "it is no longer known",
});
