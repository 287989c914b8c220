// Which lights are looked at, in which groups and order. Pure. The same lights and choices give the same
// list; lights of the same key are ordered by DevEUI.

import { riskKey } from "../base/expected.js";
import { locale } from "../base/locale.js";
import { t } from "../base/texts.js";
import { KIND_WORDS, REACH_WORDS, lightWords, shownWords, stateWords } from "../base/words.js";

/** @typedef {import("../base/wire.js").Device} Device */
/** @typedef {import("../base/store.js").Store} Store */
/** @typedef {{q: string, state: string, reach: string, gateway: string, app: string, tag: string, group: string, sort: string}} Choice */
/** @typedef {{key: string, title: string, lights: string[]}} Group */

const names = new Intl.Collator(locale, { numeric: true, sensitivity: "base" });
// The most urgent first.
const REACH_ORDER = ["disabled", "no_gateway_online", "silent", "never_heard", "reachable"];
const STATE_ORDER = ["failed", "held", "unreachable", "working", "quiet", "verified"];

/** What a light can be sorted by, and how a column of the table is called. @type {[string, string][]} */
export const COLUMNS = [
  ["name", t("column.name")], ["shows", t("column.shows")], ["wanted", t("column.wanted")], ["state", t("column.state")], ["risk", t("column.risk")],
  ["heard", t("column.heard")], ["gateways", t("column.gateways")], ["app", t("column.app")],
];

/** @param {Device} device */
export function nameOf(device) {
  return device.name || device.dev_eui;
}

/** @param {Device} device */
export function applicationOf(device) {
  return device.application_name || device.application_id;
}

/** A test for one light. @param {Choice} choice @param {Store} store @returns {(device: Device) => boolean} */
export function matcher(choice, store) {
  const needle = choice.q.toLowerCase();
  const [tag, value] = split(choice.tag);
  return (device) => {
    if (choice.state && store.kind(device.dev_eui) !== choice.state) return false;
    if (choice.reach && device.reachability !== choice.reach) return false;
    if (choice.gateway && !device.gateways.includes(choice.gateway)) return false;
    if (choice.app && applicationOf(device) !== choice.app) return false;
    if (tag && (!(tag in device.tags) || (value !== null && device.tags[tag] !== value))) return false;
    return !needle || device.dev_eui.includes(needle) || device.name.toLowerCase().includes(needle);
  };
}

/** `key=value` or `key`. @param {string} tag @returns {[string, string | null]} */
function split(tag) {
  const at = tag.indexOf("=");
  return at < 0 ? [tag, null] : [tag.slice(0, at), tag.slice(at + 1)];
}

/** What the order depends on; the list is sorted anew only where it changed. @param {string} column @param {Store} store @returns {(device: Device) => string | number} */
export function sortKey(column, store) {
  switch (column) {
    case "shows":
      return shownWords;
    case "wanted":
      return (device) => (device.wanted === null ? "" : lightWords(device.wanted));
    case "state":
      return (device) => `${STATE_ORDER.indexOf(store.kind(device.dev_eui))}${stateWords(device, store)}`;
    case "risk":
      return riskKey;
    case "heard":
      return (device) => -(device.heard_at ?? 0);
    case "gateways":
      return (device) => (device.gateways.length === 0 ? "" : store.gatewayName(device.gateways[0]));
    case "app":
      return applicationOf;
    default:
      return nameOf;
  }
}

/** All lights in order; a leading minus turns it round. @param {string} sort @param {Store} store */
export function sorted(sort, store) {
  const down = sort.startsWith("-");
  const key = sortKey(down ? sort.slice(1) : sort, store);
  const devices = [...store.devices.values()];
  rankNames(devices.map(nameOf));
  const keyed = devices.map((device) => ({ device, key: key(device), rank: ranks.get(nameOf(device)) ?? 0 }));
  keyed.sort((a, b) => (down ? -1 : 1) * compare(a.key, b.key) || a.rank - b.rank || (a.device.dev_eui < b.device.dev_eui ? -1 : 1));
  return keyed.map(({ device }) => device.dev_eui);
}

/** The place of every name among all. To compare names as people do is slow, and they seldom change. @type {Map<string, number>} */
const ranks = new Map();

/** @param {string[]} all */
function rankNames(all) {
  if (all.every((name) => ranks.has(name))) return;
  ranks.clear();
  [...new Set(all)].sort(names.compare).forEach((name, rank) => ranks.set(name, rank));
}

/** @param {string | number} a @param {string | number} b */
function compare(a, b) {
  if (a === b) return 0;
  return typeof a === "number" && typeof b === "number" ? a - b : names.compare(String(a), String(b));
}

/** The lights in their groups, each light once, groups by title. @param {string[]} ordered @param {string} by @param {Store} store @returns {Group[]} */
export function grouped(ordered, by, store) {
  if (!by) return [{ key: "", title: "", lights: ordered }];
  /** @type {Map<string, Group>} */
  const groups = new Map();
  const [kind, tag] = by.startsWith("tag:") ? ["tag", by.slice(4)] : [by, ""];
  for (const devEui of ordered) {
    const device = store.devices.get(devEui);
    if (device === undefined) continue;
    const [key, title] = groupOf(device, kind, tag, store);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { key, title, lights: [devEui] });
    else group.lights.push(devEui);
  }
  const all = [...groups.values()];
  if (kind === "reach") return all.sort((a, b) => REACH_ORDER.indexOf(a.key) - REACH_ORDER.indexOf(b.key));
  if (kind === "state") return all.sort((a, b) => STATE_ORDER.indexOf(a.key) - STATE_ORDER.indexOf(b.key));
  return all.sort((a, b) => Number(a.key === "") - Number(b.key === "") || names.compare(a.title, b.title));
}

/** @param {Device} device @param {string} kind @param {string} tag @param {Store} store @returns {[string, string]} */
function groupOf(device, kind, tag, store) {
  switch (kind) {
    case "gateway": {
      const id = device.gateways[0] ?? "";
      return [id, id ? store.gatewayName(id) : t("group.no-gateway")];
    }
    case "reach":
      return [device.reachability, REACH_WORDS[device.reachability]];
    case "app":
      return [device.application_id, applicationOf(device) || t("group.no-application")];
    case "tag":
      return [device.tags[tag] ?? "", device.tags[tag] === undefined ? t("group.no-tag", { tag }) : `${tag}: ${device.tags[tag]}`];
    default: {
      const state = store.kind(device.dev_eui);
      return [state, KIND_WORDS[state]];
    }
  }
}

/** What there is to choose from. @param {Store} store */
export function offers(store) {
  const apps = new Set();
  const tags = new Set();
  const keys = new Set();
  for (const device of store.devices.values()) {
    apps.add(applicationOf(device));
    for (const [key, value] of Object.entries(device.tags)) {
      keys.add(key);
      tags.add(`${key}=${value}`);
    }
  }
  const byName = (/** @type {Set<string>} */ some) => [...some].filter(Boolean).sort(names.compare);
  return { apps: byName(apps), tags: byName(tags), keys: byName(keys) };
}
