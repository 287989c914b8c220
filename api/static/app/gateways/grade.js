// A gateway's grade and every line that makes it, the worst first, since that is the reason. Pure.

import { lineWords } from "../base/expected.js";
import { el } from "../base/dom.js";
import { anchorOfQuality, helpLink } from "../base/help.js";
import { said } from "../base/said.js";
import { t } from "../base/texts.js";
import { sentence } from "../base/words.js";

/** @typedef {import("../base/wire.js").GatewayQuality} Quality */
/** @typedef {import("../base/wire.js").GradeLine} Line */

/** @param {string | null} grade */
export function letter(grade) {
  return el("strong", { class: "grade", "data-grade": grade ?? "none" }, el("span", { class: "unseen", text: grade === null ? t("grade.none") : t("grade.is") }), grade ?? "–");
}

/** The worst first; what has no grade is the last. @param {Line[]} lines */
function worstFirst(lines) {
  const rank = (/** @type {Line} */ line) => line.grade ?? "";
  return [...lines].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) > rank(b) ? -1 : 1));
}

/** The reason, and the lines to be unfolded. @param {Quality} quality @param {boolean} open */
export function gradeLines(quality, open) {
  const reason = el("p", { class: "reason" }, letter(quality.grade), el("span", { text: t("sentence", { text: sentence(quality.reason) }) }));
  if (quality.lines.length === 0) return el("div", {}, reason);
  const rows = worstFirst(quality.lines).map((line) =>
    el("tr", {}, el("td", {}, letter(line.grade)), el("th", { scope: "row" }, lineWords(line.line), helpLink(anchorOfQuality(line.line), lineWords(line.line))), el("td", { text: said(line.words) })),
  );
  const head = el("tr", {}, ...[t("grade.grade"), t("grade.line"), t("grade.seen")].map((name) => el("th", { scope: "col", text: name })));
  return el(
    "div",
    {},
    reason,
    el("details", open ? { open: true } : {}, el("summary", { class: "hint", text: t("grade.every") }), el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": t("grade.lines") }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)))),
  );
}
