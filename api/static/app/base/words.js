// Plain words for what a light shows and why that is not yet what was asked. Only what is known is said;
// a frame that was sent is never called a colour that is shown.

import { inZone, shortTime } from "./clock.js";

/** @typedef {import("./wire.js").Light} Light */
/** @typedef {import("./wire.js").Device} Device */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {"verified" | "working" | "held" | "failed" | "unreachable" | "quiet"} Kind */
/** @typedef {Device["reachability"]} Reach */

/** @type {Record<Kind, string>} */
export const KIND_WORDS = {
  verified: "Verified",
  working: "Working",
  held: "Held",
  failed: "Failed",
  unreachable: "Unreachable",
  quiet: "Quiet",
};

/** @type {Record<Reach, string>} */
export const REACH_WORDS = {
  reachable: "Reachable",
  silent: "Silent",
  no_gateway_online: "No gateway",
  never_heard: "Not heard yet",
  disabled: "Disabled",
};

/** @type {Record<Reach, string>} */
export const REACH_MEANINGS = {
  reachable: "Heard lately, by a gateway that is online",
  silent: "Not heard within three status intervals",
  no_gateway_online: "Every gateway that hears it is offline",
  never_heard: "No uplink since it joined",
  disabled: "Disabled in ChirpStack",
};

/** @type {Record<Kind, string>} */
export const KIND_MEANINGS = {
  verified: "They report exactly what was asked",
  working: "On their way to what was asked",
  held: "Something outside must change first",
  failed: "The timed attempts brought no proof",
  unreachable: "Nobody can hear or reach them, whatever they showed last",
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

/** What it shows; what was not heard lately is told in the past. @param {Device} device */
export function shownWords(device) {
  return past(device) ? `showed ${lightWords(device.reported)}` : lightWords(device.reported);
}

/** Whether the colour was not heard within three status intervals. @param {Device} device */
export function past(device) {
  return device.reported !== null && !device.reported_current;
}

/** Whether its lamp may glow: it was heard lately, and can be heard now. @param {Device} device */
export function glows(device) {
  return !past(device) && (device.reachability === "reachable" || device.reachability === "never_heard");
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

/** Whether nothing can come or go. @param {Device} device */
export function cutOff(device) {
  return device.reachability === "no_gateway_online" || device.reachability === "disabled";
}

/** Whether something is wanted of it that it does not show yet. @param {Device} device */
function waits(device) {
  return device.phase !== "idle" && (device.phase !== "uninitialized" || device.wanted !== null);
}

/** The state that a person asks for, one of KINDS. @param {Device} device @param {Store} store @returns {Kind} */
export function kindOf(device, store) {
  if (parked(device, store) || device.phase === "failed") return "failed";
  if (device.command_status === "held" || (waits(device) && cutOff(device))) return "held";
  if (device.reachability === "silent" || cutOff(device)) return "unreachable";
  if (device.phase === "uninitialized") return device.wanted === null ? "quiet" : "working";
  if (waits(device)) return "working";
  return device.as_wanted === true ? "verified" : "quiet";
}

/** How it can be reached, where that stands beside its state: not where the state says it, or all is well.
 *  @param {Device} device @param {Store} store */
export function besides(device, store) {
  if (device.reachability === "reachable" || device.reachability === "never_heard") return "";
  return kindOf(device, store) === "unreachable" ? "" : REACH_WORDS[device.reachability];
}

/** @type {Record<string, string>} */
const UNDER_WAY = { accepted: "Sending", queued: "Queued", transmitted: "Verifying" };

/** One or two words for the state, more exact than its kind. @param {Device} device @param {Store} store */
export function stateWords(device, store) {
  const kind = kindOf(device, store);
  if (kind === "failed") return failedWords(device, store);
  if (kind === "held" || kind === "verified") return KIND_WORDS[kind];
  if (kind === "unreachable") return REACH_WORDS[device.reachability];
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

/** Why the light is not simply as wanted, and whether it can be reached at all: to stand after
 *  `stateWords`; or null. `brief` leaves out who waits with it. @param {Device} device @param {Store} store */
export function why(device, store, brief = false) {
  const kind = kindOf(device, store);
  const wish = wishWords(device, store, kind, brief);
  if (kind === "held") return wish;
  const reach = reachSentence(device, store);
  if (brief && kind === "unreachable") return reach;
  return [wish, reach].filter(Boolean).join(" ") || null;
}

/** Why it cannot be heard or reached, as a sentence; or null. @param {Device} device @param {Store} store */
export function reachSentence(device, store) {
  const at = device.reachability_since;
  const since = at === null ? "" : ` since ${shortTime(at)}`;
  switch (device.reachability) {
    case "silent":
      return at === null ? "It is silent." : `Not heard${since}.`;
    case "no_gateway_online":
      return device.gateways.length === 1
        ? `Its only gateway ${store.gatewayName(device.gateways[0])} is offline${since}.`
        : `All its gateways are offline${since}: ${device.gateways.map((id) => store.gatewayName(id)).join(", ")}.`;
    case "disabled":
      return `Disabled in ChirpStack${since}.`;
    default:
      return null;
  }
}

/** @param {Device} device @param {Store} store @param {Kind} kind @param {boolean} brief */
function wishWords(device, store, kind, brief) {
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
        ? `It ${past(device) ? "showed" : "shows"} its colour but does not take its settings.`
        : "No proof after the timed attempts; its next sign of life starts another.";
    default:
      return device.as_wanted === false
        ? "It drifted, and the order said not to bring it back."
        : null;
  }
}

/** @param {Device} device @param {Store} store @param {boolean} brief */
function heldWords(device, store, brief = false) {
  if (device.reachability === "disabled") return `${reachSentence(device, store)} What is sent to it waits there.`;
  if (device.reachability === "no_gateway_online") {
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
  withdrawn: "Withdrawn",
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
  light_at_risk: "At risk",
  foreign_sender: "Other sender",
  gateway_offline: "Gateway",
  gateway_takes_nothing: "Gateway",
  gateway_poor: "Gateway",
  actor_parked: "Actor",
  network_unreachable: "Network",
  webhooks_missing: "Webhooks",
  event_stream: "Events",
  store_failing: "Store",
  store_set_back: "Store",
  shard_unowned: "Cluster",
  process_missing: "Cluster",
  engine_not_durable: "Store",
  commits_lost: "Store",
  record_unreadable: "Store",
  clock_set: "Clock",
  clocks_differ: "Clock",
};

/** @param {string} kind */
export function alertWords(kind) {
  return ALERT_WORDS[kind] ?? kind.replaceAll("_", " ");
}

/** Words of the service as a sentence, with its times in the zone of this page. @param {string} text */
export function sentence(text) {
  const trimmed = inZone(text.trim());
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
