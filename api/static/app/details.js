// What else is known of one light, as a list of terms and a table of the gateways that hear it.

import { timeAgo } from "./clock.js";
import { el } from "./dom.js";

function term(name, ...value) {
  const shown = value.filter((part) => part !== null && part !== undefined && part !== "");
  return shown.length === 0 ? [] : [el("dt", { text: name }), el("dd", {}, ...shown)];
}

/** The terms of a light inspected by `GET /api/v1/devices/{dev_eui}`. */
export function details(seen) {
  const { device, session, report, actor, attempt } = seen;
  const tags = Object.entries(device.tags).map(([key, value]) => `${key}: ${value}`).join(", ");
  return [
    ...term("Application", device.application_name || device.application_id),
    ...term("Profile", device.profile_name),
    ...term("Tags", tags),
    ...(session === null ? [] : term("Session", `${session.dev_addr}, joined `, timeAgo(session.since), session.set_up ? ", set up" : ", not set up")),
    ...(report === null ? [] : term("Status", `downlinks ${report.downlinks_received}, uplinks ${report.uplinks_sent}, software ${report.software_rev}`)),
    ...(attempt === null ? [] : term("On its way", `${attempt.carries.replaceAll("_", " ")}, ${attempt.stage}`, attempt.reason ? `: ${attempt.reason}` : null)),
    ...(seen.next_timer_at === null ? [] : term("Next look", timeAgo(seen.next_timer_at))),
    ...term("Heard", `${seen.uplinks} uplinks, ${seen.duplicates} doubled, ${seen.stale} late, ${seen.joins} joins`),
    ...(device.last_error === null ? [] : term("Last trouble", device.last_error, " ", seen.last_error_at === null ? null : timeAgo(seen.last_error_at))),
    ...(actor === null ? [] : term("Actor", actorWords(actor))),
  ];
}

function actorWords(actor) {
  const words = [actor.state.replaceAll("_", " ")];
  if (actor.restarts > 0) words.push(`${actor.restarts} ${actor.restarts === 1 ? "restart" : "restarts"}`);
  if (actor.mailbox !== null) words.push(`${actor.mailbox.depth} of ${actor.mailbox.capacity} in its mailbox`);
  return words.join(", ");
}

/** Who hears the light, and how well. */
export function hearingsTable(hearings, store) {
  if (hearings.length === 0) return el("p", { class: "hint", text: "No gateway was heard with it lately." });
  const rows = hearings.map((hearing) =>
    el(
      "tr",
      { "data-online": String(hearing.online) },
      el("th", { scope: "row" }, el("span", { class: "dot" }), store.gatewayName(hearing.gateway_id), hearing.online ? "" : " (offline)"),
      el("td", { text: `${hearing.rssi_dbm} dBm` }),
      el("td", { text: `${hearing.margin_db.toFixed(0)} dB` }),
      el("td", {}, timeAgo(hearing.heard_at)),
    ),
  );
  const head = el("tr", {}, ...["Gateway", "RSSI", "Margin", "Heard"].map((name) => el("th", { scope: "col", text: name })));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows));
}
