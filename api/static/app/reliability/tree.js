// The tree of actors: which run, which were restarted, which are parked. What is in trouble is shown
// first and never folded away; the many that are well are a number.

import { timeAgo, timeFor } from "../base/clock.js";
import { el } from "../base/dom.js";
import { isKey, known, parts, t } from "../base/texts.js";

/** @typedef {import("../base/wire.js").ActorNode} ActorNode */

/** @param {string} state */
function kindOf(state) {
  if (state === "running") return "verified";
  return state === "crashed" ? "failed" : "working";
}

/** @param {NonNullable<ActorNode["mailbox"]>} mailbox */
function mailboxWords({ depth, capacity, peak, refused }) {
  const mailbox = t("tree.mailbox", { depth, capacity, peak });
  return refused > 0 ? t("tree.refused", { mailbox, n: refused }) : mailbox;
}

/** @param {ActorNode} node @param {(id: string) => string} nameOf @param {(id: string) => void} revive */
export function tree(node, nameOf, revive) {
  return el("ul", { class: "tree" }, branch(node, nameOf, revive));
}

/** @param {ActorNode} node @param {(id: string) => string} nameOf @param {(id: string) => void} revive @returns {HTMLLIElement} */
function branch(node, nameOf, revive) {
  const kind = kindOf(node.state);
  const facts = [
    el("strong", { text: nameOf(node.id) }),
    el("span", { class: "hint" }, ...parts(/** @type {"tree.running"} */ (isKey(`tree.${node.state}`) ? `tree.${node.state}` : "tree.running"), { span: timeFor(node.since) })),
    node.restarts > 0 ? el("span", { class: "restarts", text: t("actor.restarts", { n: node.restarts }) }) : null,
    node.mailbox === null ? null : el("span", { class: "hint", text: mailboxWords(node.mailbox) }),
    node.last_error === null ? null : el("span", { class: "error" }, `${node.last_error} `, node.last_crash_at === null ? null : timeAgo(node.last_crash_at)),
  ];
  const parked = node.state === "crashed";
  const button = parked ? el("button", { type: "button", class: "plain", text: t("tree.revive"), "data-needs": "POST /api/v1/supervisor/{actor_id}/revive", "aria-label": t("tree.revive-name", { name: nameOf(node.id) }), onclick: () => revive(node.id) }) : null;
  // Device actors that are well would be hundreds of the same line.
  const shown = node.children.filter((child) => !child.id.startsWith("device ") || child.state !== "running" || child.restarts > 0);
  const rest = node.children_total - shown.length;
  const states = Object.entries(node.children_by_state).map(([state, count]) => known(`tree.count.${state}`, { n: count }) ?? state);
  return el(
    "li",
    { "data-actor": node.id, "data-kind": kind },
    el("div", { class: "actor" }, el("span", { class: "knot" }), ...facts, button),
    node.children_total === 0 ? null : el("ul", {}, ...shown.map((child) => branch(child, nameOf, revive)), rest > 0 ? el("li", { "data-kind": "quiet" }, el("div", { class: "actor" }, el("span", { class: "knot many" }), el("span", { class: "hint", text: t("tree.more", { n: rest, states: states.join(", ") }) }))) : null),
  );
}
