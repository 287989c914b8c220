// What else is known of one light, as a list of terms and a table of the gateways that hear it.

import { inZone, timeAgo } from "../base/clock.js";
import { el } from "../base/dom.js";
import { REACH_MEANINGS, plural } from "../base/words.js";

/** @param {string} name @param {...(Node | string | null)} value */
function term(name, ...value) {
  const shown = value.filter((part) => part !== null && part !== "");
  return shown.length === 0 ? [] : [el("dt", { text: name }), el("dd", {}, ...shown)];
}

/** The terms of a light inspected by `GET /api/v1/devices/{dev_eui}`. @param {import("../base/wire.js").Inspection} seen */
export function details(seen) {
  const { device, session, report, actor, attempt } = seen;
  const tags = Object.entries(device.tags).map(([key, value]) => `${key}: ${value}`).join(", ");
  return [
    ...term("Application", device.application_name || device.application_id),
    ...term("Profile", device.profile_name),
    ...term("Tags", tags),
    ...term("Reachable", device.reachability === "reachable" ? "yes" : REACH_MEANINGS[device.reachability], device.reachability_since === null ? null : ", since ", device.reachability_since === null ? null : timeAgo(device.reachability_since)),
    ...(session === null ? term("Session", "none since it is known") : term("Session", `${session.dev_addr}, joined `, timeAgo(session.since), session.set_up ? ", set up" : ", not set up")),
    ...(session?.f_cnt == null ? [] : term("Frame counter", `${session.f_cnt} up`)),
    ...(report === null ? [] : term("Firmware", `software ${report.software_rev.toFixed(1)}, hardware ${report.hardware_rev.toFixed(1)}`)),
    ...(report === null ? [] : term("Its own counters", `${plural(report.downlinks_received, "downlink")} received, ${plural(report.uplinks_sent, "uplink")} sent`, report.current ? "" : " (of an earlier session)")),
    ...term("Heard", `${plural(seen.uplinks, "uplink")}, ${seen.duplicates} doubled, ${seen.stale} late, ${plural(seen.missed, "event")} whose webhook was lost, ${plural(seen.joins, "join")}`),
    ...(seen.healed === 0 ? [] : term("Taken up", `${plural(seen.healed, "time")}, found with nothing to wake it: please report it`)),
    ...(attempt === null ? [] : term("On its way", `${attempt.carries.replaceAll("_", " ")}, ${attempt.stage}`, attempt.reason ? `: ${inZone(attempt.reason)}` : null)),
    ...(seen.next_timer_at === null ? [] : term("Next timer", timeAgo(seen.next_timer_at))),
    ...(device.last_error === null ? [] : term("Last trouble", `${inZone(device.last_error)} `, seen.last_error_at === null ? null : timeAgo(seen.last_error_at))),
    ...(actor === null ? [] : term("Actor", `${actor.state.replaceAll("_", " ")}, ${plural(actor.restarts, "restart")}`)),
    ...(actor?.mailbox == null ? [] : term("Mailbox", `${actor.mailbox.depth} of ${actor.mailbox.capacity}, at most ${actor.mailbox.peak} so far${actor.mailbox.refused > 0 ? `, ${actor.mailbox.refused} refused` : ""}`)),
  ];
}

/** Who hears the light, and how well. @param {import("../base/wire.js").Hearing[]} hearings @param {import("../base/store.js").Store} store */
export function hearingsTable(hearings, store) {
  if (hearings.length === 0) return el("p", { class: "hint", text: "No gateway was heard with it lately." });
  const rows = hearings.map((hearing) =>
    el(
      "tr",
      { "data-online": String(hearing.online) },
      el("th", { scope: "row" }, el("span", { class: "dot" }), store.gatewayName(hearing.gateway_id), hearing.online ? "" : " (offline)"),
      el("td", { text: `${hearing.rssi_dbm} dBm` }),
      el("td", { text: `${hearing.snr_db.toFixed(1)} dB` }),
      el("td", { text: `${hearing.margin_db.toFixed(0)} dB` }),
      el("td", {}, timeAgo(hearing.heard_at)),
    ),
  );
  const head = el("tr", {}, ...["Gateway", "RSSI", "SNR", "Margin", "Heard"].map((name) => el("th", { scope: "col", text: name })));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}
