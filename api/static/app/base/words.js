// Plain words for what a light shows and why that is not yet what was asked. Only what is known is said;
// a frame that was sent is never called a colour that is shown.

import { inZone, shortTime } from "./clock.js";
import { number } from "./locale.js";
import { reasonWords } from "./reasons.js";
import { said } from "./said.js";
import { known, t } from "./texts.js";

/** @typedef {import("./wire.js").Light} Light */
/** @typedef {import("./wire.js").Device} Device */
/** @typedef {import("./store.js").Store} Store */
/** @typedef {"verified" | "working" | "held" | "failed" | "unreachable" | "quiet"} Kind */
/** @typedef {Device["reachability"]} Reach */

/** @type {Record<Kind, string>} */
export const KIND_WORDS = {
  verified: t("state.verified"),
  working: t("state.working"),
  held: t("state.held"),
  failed: t("state.failed"),
  unreachable: t("state.unreachable"),
  quiet: t("state.quiet"),
};

/** @type {Record<Reach, string>} */
export const REACH_WORDS = {
  reachable: t("reach.reachable"),
  silent: t("reach.silent"),
  no_gateway_online: t("reach.no_gateway_online"),
  never_heard: t("reach.never_heard"),
  disabled: t("reach.disabled"),
};

/** @type {Record<Reach, string>} */
export const REACH_MEANINGS = {
  reachable: t("reach-means.reachable"),
  silent: t("reach-means.silent"),
  no_gateway_online: t("reach-means.no_gateway_online"),
  never_heard: t("reach-means.never_heard"),
  disabled: t("reach-means.disabled"),
};

/** @type {Record<Kind, string>} */
export const KIND_MEANINGS = {
  verified: t("state-means.verified"),
  working: t("state-means.working"),
  held: t("state-means.held"),
  failed: t("state-means.failed"),
  unreachable: t("state-means.unreachable"),
  quiet: t("state-means.quiet"),
};

/** @typedef {"red" | "orange" | "yellow" | "green" | "cyan" | "blue" | "violet" | "pink" | "white"} Hue */
/** @type {[number, Hue][]} */
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
  if (light === null) return t("colour.unknown");
  return blinks(light) ? t("colour.blinking", { colour: colourWords(light) }) : colourWords(light);
}

/** What it shows; what was not heard lately is told in the past. @param {Device} device */
export function shownWords(device) {
  return past(device) ? t("colour.showed", { light: lightWords(device.reported) }) : lightWords(device.reported);
}

/** Whether the colour was not heard within three status intervals. @param {Device} device */
export function past(device) {
  return device.reported !== null && !device.reported_current;
}

/** Whether its lamp may glow: it was heard lately, and can be heard now. @param {Device} device */
export function glows(device) {
  return !past(device) && (device.reachability === "reachable" || device.reachability === "never_heard");
}

/** Its hue, and whether it is dim; null while it is dark. @param {{red: number, green: number, blue: number}} light
 *  @returns {{hue: Hue, dim: boolean} | null} */
function hueOf({ red, green, blue }) {
  const most = Math.max(red, green, blue);
  if (most === 0) return null;
  const range = most - Math.min(red, green, blue);
  const dim = most < DIM_BELOW;
  if (range / most < 0.2) return { hue: "white", dim };
  let turn;
  if (most === red) turn = ((green - blue) / range) * 60;
  else if (most === green) turn = 120 + ((blue - red) / range) * 60;
  else turn = 240 + ((red - green) / range) * 60;
  const degrees = (turn + 360) % 360;
  return { hue: HUES.find(([end]) => degrees < end)?.[1] ?? "red", dim };
}

/** @param {{red: number, green: number, blue: number}} light */
export function colourWords(light) {
  const seen = hueOf(light);
  if (seen === null) return t("colour.dark");
  const colour = t(`colour.${seen.hue}`);
  return seen.dim ? t("colour.dim", { colour }) : colour;
}

/** The first letter of its colour, small where it is dim; for who cannot tell it by eye. @param {Light | null} light */
export function colourLetter(light) {
  const seen = light === null ? null : hueOf(light);
  if (seen === null) return "";
  const letter = t(`letter.${seen.hue}`);
  return seen.dim ? letter.toLowerCase() : letter;
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
const UNDER_WAY = { accepted: t("is.sending"), queued: t("is.queued"), transmitted: t("is.verifying") };

/** One or two words for the state, more exact than its kind. @param {Device} device @param {Store} store */
export function stateWords(device, store) {
  const kind = kindOf(device, store);
  if (kind === "failed") return failedWords(device, store);
  if (kind === "held" || kind === "verified") return KIND_WORDS[kind];
  if (kind === "unreachable") return REACH_WORDS[device.reachability];
  switch (device.phase) {
    case "uninitialized":
      return kind === "quiet" ? t("reach.never_heard") : t("is.waiting");
    case "initializing":
      return t("is.setting-up");
    case "retrying":
      return t("is.retrying");
    case "awaiting_verify":
      return UNDER_WAY[device.command_status ?? ""] ?? t("is.restoring");
    default:
      return device.wanted === null ? t("is.nothing-asked") : t("is.differs");
  }
}

/** @param {Device} device @param {Store} store */
function failedWords(device, store) {
  if (parked(device, store)) return t("is.parked");
  return device.as_wanted === true ? t("is.setup-failed") : t("state.failed");
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
  const since = at === null ? null : shortTime(at);
  switch (device.reachability) {
    case "silent":
      return since === null ? t("why.silent") : t("why.silent-since", { since });
    case "no_gateway_online":
      return gatewaysOffline(device.gateways.map((id) => store.gatewayName(id)), since);
    case "disabled":
      return since === null ? t("why.disabled") : t("why.disabled-since", { since });
    default:
      return null;
  }
}

/** @param {string[]} names of gateways @param {string | null} since */
function gatewaysOffline(names, since) {
  const [gateway] = names;
  if (names.length === 1) return since === null ? t("why.gateway-offline", { gateway }) : t("why.gateway-offline-since", { gateway, since });
  const gateways = names.join(", ");
  return since === null ? t("why.gateways-offline", { gateways }) : t("why.gateways-offline-since", { gateways, since });
}

/** @param {Device} device @param {Store} store @param {Kind} kind @param {boolean} brief */
function wishWords(device, store, kind, brief) {
  if (parked(device, store)) {
    const error = actorOf(device, store)?.last_error;
    return error ? t("why.parked-error", { error }) : t("why.parked");
  }
  if (kind === "held") return heldWords(device, store, brief);
  switch (device.phase) {
    case "uninitialized":
      return device.wanted === null
        ? null
        : t("why.uninitialized");
    case "initializing":
      return device.wanted ? t("why.settings-then", { light: lightWords(device.wanted) }) : t("why.settings");
    case "awaiting_verify":
      return awaitingWords(device);
    case "retrying":
      return t("why.retrying");
    case "failed":
      return device.as_wanted === true
        ? t(past(device) ? "why.no-settings-past" : "why.no-settings")
        : t("why.failed");
    default:
      return device.as_wanted === false
        ? t("why.drifted")
        : null;
  }
}

/** @param {Device} device @param {Store} store @param {boolean} brief */
function heldWords(device, store, brief = false) {
  if (device.reachability === "disabled") return t("why.disabled-waits", { disabled: reachSentence(device, store) ?? "" });
  if (device.reachability === "no_gateway_online") {
    const away = device.gateways.map((id) => {
      const since = store.gateways.get(id)?.since;
      const gateway = store.gatewayName(id);
      return since === undefined ? gateway : t("why.offline-since", { gateway, since: shortTime(since) });
    });
    const gateways = away.reduce((one, other) => t("why.or", { one, other }));
    if (brief) return t("why.waits-for", { gateways });
    const others = store.heldBehind(device.gateways[0]) - 1;
    return others < 1 ? t("why.waiting-for", { gateways }) : t("why.waiting-with", { gateways, n: others, others: counted(others) });
  }
  const reason = reasonWords(device.command_reason, device.command_reason_code, device.command_reason_values);
  return reason ? t("sentence", { text: capital(reason) }) : t("why.held");
}

/** @param {Device} device */
function awaitingWords(device) {
  switch (device.command_status) {
    case "accepted":
      return t("why.accepted");
    case "queued":
      return t("why.queued");
    case "transmitted":
      return t("why.transmitted");
    default:
      return t("why.restoring");
  }
}

/** @param {string} kind */
export function stepWords(kind) {
  return known(`step.${kind}`) ?? kind;
}

/** @param {string} kind */
export function alertWords(kind) {
  return known(`alert.${kind}`) ?? kind.replaceAll("_", " ");
}

/** Words of the service in the language of this page, with its times in the zone of this page. @param {string} text */
export function told(text) {
  return inZone(said(text));
}

/** Words of the service as a sentence, with its times in the zone of this page. @param {string} text */
export function sentence(text) {
  return capital(told(text.trim()));
}

/** @param {string} words */
export function capital(words) {
  return words ? words[0].toUpperCase() + words.slice(1) : "";
}

const NUMBERS = /** @type {const} */ (["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]);

/** `two`, `ten`, `11`; one is a plural's own form. @param {number} count */
export function counted(count) {
  const word = NUMBERS[count - 2];
  return word === undefined ? number(count) : t(`count.${word}`);
}
