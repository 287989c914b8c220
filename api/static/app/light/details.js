// What else is known of one light, as a list of terms and a table of the gateways that hear it.

import { timeAgo } from "../base/clock.js";
import { el } from "../base/dom.js";
import { number } from "../base/locale.js";
import { reasonOf } from "../base/reasons.js";
import { known, parts, t } from "../base/texts.js";
import { REACH_MEANINGS, told } from "../base/words.js";

/** @param {string} name @param {...(Node | string | null)} value */
function term(name, ...value) {
  const shown = value.filter((part) => part !== null && part !== "");
  return shown.length === 0 ? [] : [el("dt", { text: name }), el("dd", {}, ...shown)];
}

/** @param {import("../base/wire.js").Device} device */
function reach(device) {
  const what = device.reachability === "reachable" ? t("detail.reachable-yes") : REACH_MEANINGS[device.reachability];
  return device.reachability_since === null ? [what] : parts("detail.since", { what, when: timeAgo(device.reachability_since) });
}

/** @param {NonNullable<import("../base/wire.js").Inspection["attempt"]>} attempt */
function attemptWords(attempt) {
  const carries = known(`carries.${attempt.carries}`) ?? attempt.carries.replaceAll("_", " ");
  const stage = known(`stage.${attempt.stage}`) ?? attempt.stage;
  return attempt.reason ? t("detail.attempt-reason", { carries, stage, reason: reasonOf(attempt) }) : t("detail.attempt", { carries, stage });
}

/** The terms of a light inspected by `GET /api/v1/devices/{dev_eui}`. @param {import("../base/wire.js").Inspection} seen */
export function details(seen) {
  const { device, session, report, actor, attempt } = seen;
  const tags = Object.entries(device.tags).map(([key, value]) => `${key}: ${value}`).join(", ");
  return [
    ...term(t("detail.application"), device.application_name || device.application_id),
    ...term(t("detail.profile"), device.profile_name),
    ...term(t("detail.tags"), tags),
    ...term(t("detail.reachable"), ...reach(device)),
    ...term(t("detail.session"), ...(session === null ? [t("detail.session-none")] : parts(session.set_up ? "detail.session-set-up" : "detail.session-not-set-up", { dev_addr: session.dev_addr, when: timeAgo(session.since) }))),
    ...(session?.f_cnt == null ? [] : term(t("detail.frame-counter"), t("detail.up", { f_cnt: String(session.f_cnt) }))),
    ...(report === null ? [] : term(t("detail.firmware"), t("detail.revisions", { software: report.software_rev.toFixed(1), hardware: report.hardware_rev.toFixed(1) }))),
    ...(report === null ? [] : term(t("detail.own-counters"), `${t("detail.received", { n: report.downlinks_received })}, ${t("detail.sent", { n: report.uplinks_sent })}`, report.current ? "" : ` ${t("detail.earlier-session")}`)),
    ...term(t("detail.heard"), [t("detail.uplinks", { n: seen.uplinks }), t("detail.doubled", { n: seen.duplicates }), t("detail.late", { n: seen.stale }), t("detail.missed", { n: seen.missed }), t("detail.joins", { n: seen.joins })].join(", ")),
    ...(seen.healed === 0 ? [] : term(t("detail.taken-up"), t("detail.healed", { n: seen.healed }))),
    ...(attempt === null ? [] : term(t("detail.on-its-way"), attemptWords(attempt))),
    ...(seen.next_timer_at === null ? [] : term(t("detail.next-timer"), timeAgo(seen.next_timer_at))),
    ...(device.last_error === null ? [] : term(t("detail.last-trouble"), `${told(device.last_error)} `, seen.last_error_at === null ? null : timeAgo(seen.last_error_at))),
    ...(actor === null ? [] : term(t("detail.actor"), `${known(`actor.${actor.state}`) ?? actor.state}, ${t("actor.restarts", { n: actor.restarts })}`)),
    ...(actor?.mailbox == null ? [] : term(t("detail.mailbox"), [t("detail.depth", actor.mailbox), ...(actor.mailbox.refused > 0 ? [t("detail.refused", { n: actor.mailbox.refused })] : [])].join(", "))),
  ];
}

/** Who hears the light, and how well. @param {import("../base/wire.js").Hearing[]} hearings @param {import("../base/store.js").Store} store */
export function hearingsTable(hearings, store) {
  if (hearings.length === 0) return el("p", { class: "hint", text: t("hearing.none") });
  const rows = hearings.map((hearing) =>
    el(
      "tr",
      { "data-online": String(hearing.online) },
      el("th", { scope: "row" }, el("span", { class: "dot" }), hearing.online ? store.gatewayName(hearing.gateway_id) : t("hearing.offline", { gateway: store.gatewayName(hearing.gateway_id) })),
      el("td", { text: t("dbm", { value: hearing.rssi_dbm }) }),
      el("td", { text: t("db", { value: number(hearing.snr_db, 1) }) }),
      el("td", { text: t("db", { value: number(hearing.margin_db, 0) }) }),
      el("td", {}, timeAgo(hearing.heard_at)),
    ),
  );
  const head = el("tr", {}, ...[t("hearing.gateway"), t("hearing.rssi"), t("hearing.snr"), t("hearing.margin"), t("hearing.heard")].map((name) => el("th", { scope: "col", text: name })));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}
