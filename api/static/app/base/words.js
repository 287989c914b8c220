// Plain words for what a light shows and why that is not yet what was asked. The rule it keeps:
// only what is known is said; a frame that was sent is never called a colour that is shown.

import { shortTime } from "./clock.js";

/** @typedef {import("./wire.js").Light} Light */
/** @typedef {import("./wire.js").Device} Device */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {"verified" | "working" | "held" | "failed" | "quiet"} Kind */

/** @type {Record<Kind, string>} */
export const KIND_WORDS = {
  verified: "Verified",
  working: "Working",
  held: "Held",
  failed: "Failed",
  quiet: "Quiet",
};

/** @type {Record<Kind, string>} */
export const KIND_MEANINGS = {
  verified: "They report exactly what was asked",
  working: "On their way to what was asked",
  held: "Something outside must change first",
  failed: "The timed attempts brought no proof",
  quiet: "Nothing is asked of them now",
};

/** @type {[number, string][]} */
const HUES = [
  [14, "red"], [40, "orange"], [68, "yellow"], [160, "green"], [200, "cyan"],
  [252, "blue"], [290, "violet"], [344, "pink"], [361, "red"],
];
const DIM_BELOW = 110; // 0x35, the green after a join, is dim to the eye, 0x80 is not

/** @param {Light} light */
export function isDark(light) {
  return light.red + light.green + light.blue === 0;
}

/** @param {Light} light */
export function blinks(light) {
  return light.off > 0 && !isDark(light);
}

/** @param {Light} one @param {Light} other */
export function sameLight(one, other) {
  return /** @type {const} */ (["red", "green", "blue", "on", "off"]).every((part) => one[part] === other[part]);
}

/** `red`, `dim green`, `dark`, `blue, blinking`. @param {Light | null} light */
export function lightWords(light) {
  if (light === null) return "unknown";
  return blinks(light) ? `${colourWords(light)}, blinking` : colourWords(light);
}

/** @param {{red: number, green: number, blue: number}} light */
export function colourWords({ red, green, blue }) {
  const most = Math.max(red, green, blue);
  if (most === 0) return "dark";
  const range = most - Math.min(red, green, blue);
  const dim = most < DIM_BELOW ? "dim " : "";
  if (range / most < 0.2) return `${dim}white`;
  let hue;
  if (most === red) hue = ((green - blue) / range) * 60;
  else if (most === green) hue = 120 + ((blue - red) / range) * 60;
  else hue = 240 + ((red - green) / range) * 60;
  const degrees = (hue + 360) % 360;
  return dim + (HUES.find(([end]) => degrees < end)?.[1] ?? "red");
}

/** The first letter of its colour, small where it is dim; for who cannot tell it by eye. @param {Light | null} light */
export function colourLetter(light) {
  if (light === null || isDark(light)) return "";
  const words = colourWords(light);
  return words.startsWith("dim ") ? words[4] : words[0].toUpperCase();
}

/** @param {Device} device @param {Store} store */
function actorOf(device, store) {
  return store.actors.get(`device ${device.dev_eui}`);
}

/** @param {Device} device @param {Store} store */
function parked(device, store) {
  return actorOf(device, store)?.state === "crashed";
}

/** @param {Device} device */
export function unreachable(device) {
  return device.gateways.length > 0 && !device.reachable;
}

/** The state that a person asks for, one of KINDS. @param {Device} device @param {Store} store @returns {Kind} */
export function kindOf(device, store) {
  if (parked(device, store) || device.phase === "failed") return "failed";
  const busy = !["idle", "uninitialized"].includes(device.phase);
  if (device.command_status === "held" || (busy && unreachable(device))) return "held";
  if (device.phase === "uninitialized") {
    if (device.wanted === null) return "quiet";
    return unreachable(device) ? "held" : "working";
  }
  if (busy) return "working";
  return device.as_wanted === true ? "verified" : "quiet";
}

/** @type {Record<string, string>} */
const UNDER_WAY = { accepted: "Sending", queued: "Queued", transmitted: "Verifying" };

/** One or two words for the state, more exact than its kind. @param {Device} device @param {Store} store */
export function stateWords(device, store) {
  const kind = kindOf(device, store);
  if (kind === "failed") return failedWords(device, store);
  if (kind === "held" || kind === "verified") return KIND_WORDS[kind];
  switch (device.phase) {
    case "uninitialized":
      return kind === "quiet" ? "Not heard yet" : "Waiting";
    case "initializing":
      return "Setting up";
    case "retrying":
      return "Retrying";
    case "awaiting_verify":
      return UNDER_WAY[device.command_status ?? ""] ?? "Restoring";
    default:
      return device.wanted === null ? "Nothing asked" : "Differs";
  }
}

/** @param {Device} device @param {Store} store */
function failedWords(device, store) {
  if (parked(device, store)) return "Parked";
  return device.as_wanted === true ? "Setup failed" : "Failed";
}

/** Why the light is not simply as wanted: one sentence to stand after `stateWords`; or null.
 *  `brief` leaves out who waits with it. @param {Device} device @param {Store} store */
export function why(device, store, brief = false) {
  const kind = kindOf(device, store);
  if (parked(device, store)) {
    const error = actorOf(device, store)?.last_error;
    return `Its actor crashed too often${error ? ` (${error})` : ""} and waits for a revival.`;
  }
  if (kind === "held") return heldWords(device, store, brief);
  switch (device.phase) {
    case "uninitialized":
      return device.wanted === null
        ? null
        : "It has not reported since it joined, and hears nothing before that.";
    case "initializing":
      return `It gets its settings${device.wanted ? `, then ${lightWords(device.wanted)}` : " first"}.`;
    case "awaiting_verify":
      return awaitingWords(device);
    case "retrying":
      return "The last frame brought no proof; another follows.";
    case "failed":
      return device.as_wanted === true
        ? "It shows its colour but does not take its settings."
        : "No proof after the timed attempts; its next sign of life starts another.";
    default:
      return device.as_wanted === false
        ? "It drifted, and the order said not to bring it back."
        : null;
  }
}

/** @param {Device} device @param {Store} store @param {boolean} brief */
function heldWords(device, store, brief = false) {
  if (unreachable(device)) {
    const away = device.gateways.map((id) => {
      const since = store.gateways.get(id)?.since;
      return `${store.gatewayName(id)}${since === undefined ? "" : `, offline since ${shortTime(since)}`}`;
    });
    if (brief) return `Waits for ${away.join(", or ")}.`;
    const others = store.heldBehind(device.gateways[0]) - 1;
    const company = others < 1 ? "" : `; ${others === 1 ? "one other light waits" : `${counted(others)} other lights wait`} with it`;
    return `Waiting for gateway ${away.join(", or ")}${company}.`;
  }
  const known = device.command_reason;
  return known ? `${sentence(known)}.` : "The order waits here until it may be sent.";
}

/** @param {Device} device */
function awaitingWords(device) {
  switch (device.command_status) {
    case "accepted":
      return "The order is stored and goes out next.";
    case "queued":
      return "ChirpStack has the frame; no gateway sent it yet.";
    case "transmitted":
      return "Sent; the light has not confirmed it yet.";
    default:
      return "It drifted and is being brought back.";
  }
}

/** @type {Record<string, string>} */
const STEP_WORDS = {
  accepted: "Accepted and stored",
  waiting: "Waiting",
  held: "Held",
  queued: "In ChirpStack's queue",
  transmitted: "Sent by a gateway",
  unproven: "No proof in time",
  not_sent: "Not sent",
  evidence: "Tried again on evidence",
  overdue: "Overdue, still pursued",
  verified: "Verified by the light",
  superseded: "Superseded by a newer command",
  expired: "Expired",
  rejected: "Rejected",
};

/** @param {string} kind */
export function stepWords(kind) {
  return STEP_WORDS[kind] ?? kind;
}

/** @type {Record<string, string>} */
const ALERT_WORDS = {
  light_failed: "Light",
  light_held: "Held",
  light_silent: "Silent",
  gateway_offline: "Gateway",
  actor_parked: "Actor",
  network_unreachable: "Network",
  store_failing: "Store",
};

/** @param {string} kind */
export function alertWords(kind) {
  return ALERT_WORDS[kind] ?? kind.replaceAll("_", " ");
}

/** @param {string} text */
export function sentence(text) {
  const trimmed = text.trim();
  return trimmed ? trimmed[0].toUpperCase() + trimmed.slice(1) : "";
}

const NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];

/** `two`, `ten`, `11`. @param {number} number */
export function counted(number) {
  return NUMBERS[number] ?? String(number);
}

/** `1 light`, `2 lights`. @param {number} number @param {string} one @param {string} [many] */
export function plural(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}
