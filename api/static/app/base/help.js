// Links from a state, a reason or an alert to its paragraph in the guide that the service serves itself.

import { el, setAttribute, setHidden } from "./dom.js";
import { language } from "./locale.js";
import { t } from "./texts.js";

/** @typedef {import("./wire.js").Device} Device */
/** @typedef {import("./store.js").Store} Store */

/** @param {string} anchor */
function addressOf(anchor) {
  return `help/operations?lang=${language}#${anchor}`;
}

/** A link to a paragraph of the guide, in a tab of its own; `what` names it for who cannot see what it stands beside.
 *  @param {string} anchor @param {string} what */
export function helpLink(anchor, what) {
  const link = el("a", { class: "help", href: addressOf(anchor), target: "_blank", rel: "noopener", text: "?" });
  aim(link, anchor, what);
  return link;
}

/** Lead the link elsewhere; nowhere hides it. @param {HTMLElement} link @param {string | null} anchor @param {string} what */
export function aim(link, anchor, what) {
  setHidden(link, anchor === null);
  if (anchor === null) return;
  setAttribute(link, "href", addressOf(anchor));
  setAttribute(link, "aria-label", t("help.about", { what }));
  setAttribute(link, "title", t("help"));
}

/** @param {string} code as the service writes it: `light_failed` */
function dashed(code) {
  return code.replaceAll("_", "-");
}

/** Of an alert. @param {string} kind */
export function anchorOfAlert(kind) {
  return `alert-${dashed(kind)}`;
}

/** Of a warning or of a line of a grade. @param {string} rule */
export function anchorOfQuality(rule) {
  return `quality-${dashed(rule)}`;
}

/** Of what stands beside a light: the reason that holds it where the guide has one, else its state.
 *  @param {Device} device @param {Store} store */
export function anchorOfLight(device, store) {
  const kind = store.kind(device.dev_eui);
  if (device.command_reason_code && kind !== "verified") return `reason-${dashed(device.command_reason_code)}`;
  return `state-${dashed(kind === "unreachable" ? device.reachability : kind)}`;
}
