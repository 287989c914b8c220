// What the service told, by id. Nothing is in here but what the service said; readers are told once in a
// while which things changed, however many messages came in it.

import { t } from "./texts.js";
import { kindOf } from "./words.js";

/** @typedef {import("./wire.js").Device} Device */
/** @typedef {import("./words.js").Kind} Kind */
/** @typedef {{devices: Set<string>, gateways: Set<string>, commands: Set<string>, alerts: boolean,
 *   gone: string[], actors: boolean, rollouts: Set<string>, plans: boolean, all: boolean}} Batch */

/** @type {Kind[]} */
export const KINDS = ["verified", "working", "held", "failed", "unreachable", "quiet"];
// The eye takes a tenth of a second for "at once"; a storm of changes is drawn ten times a second.
const GATHER_MS = 100;

/** @returns {Batch} */
export function freshBatch() {
  return { devices: new Set(), gateways: new Set(), commands: new Set(), alerts: false, gone: [], actors: false, rollouts: new Set(), plans: false, all: false };
}

export class Store {
  /** @type {Map<string, Device>} */
  devices = new Map();
  /** @type {Map<string, import("./wire.js").Gateway>} */
  gateways = new Map();
  /** @type {Map<string, import("./wire.js").Alert>} */
  alerts = new Map();
  /** @type {Map<string, import("./wire.js").Actor>} */
  actors = new Map();
  /** @type {Map<string, import("./wire.js").Rollout>} */
  rollouts = new Map();
  /** @type {Map<string, import("./wire.js").PlanHead>} */
  plans = new Map();
  /** Whether the service tells of plans at all. */
  plansTold = false;
  /** Whether a whole snapshot came: before that, empty means nothing. */
  known = false;
  /** How much of the running snapshot came, 0 to 1. */
  arrived = 0;
  /** When the websocket last told of a rollout (milliseconds of the page), or null: never. @type {number | null} */
  rolloutsToldAt = null;
  /** The newest command of each light that was told of since the page opened. @type {Map<string, import("./wire.js").Command>} */
  commands = new Map();
  /** @type {Record<string, number>} */
  counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  /** @type {Map<string, Kind>} */
  #kinds = new Map();
  #batch = freshBatch();
  /** @type {((batch: Batch) => void)[]} */
  #listeners = [];
  #scheduled = false;
  /** @type {Set<string> | null} */
  #seen = null;

  /** @param {(batch: Batch) => void} listener */
  subscribe(listener) {
    this.#listeners.push(listener);
  }

  /** @param {string} devEui @returns {Kind} */
  kind(devEui) {
    return this.#kinds.get(devEui) ?? "quiet";
  }

  /** @param {string} id */
  gatewayName(id) {
    return this.gateways.get(id)?.name || id;
  }

  /** @param {string} devEui */
  lightName(devEui) {
    return this.devices.get(devEui)?.name || devEui;
  }

  /** How many lights wait because this gateway, which hears them, is away. @param {string} gatewayId */
  heldBehind(gatewayId) {
    let waiting = 0;
    for (const [devEui, kind] of this.#kinds) {
      if (kind !== "held") continue;
      const device = this.devices.get(devEui);
      if (device?.reachability === "no_gateway_online" && device.gateways.includes(gatewayId)) waiting += 1;
    }
    return waiting;
  }

  /** One part of a snapshot. What the whole snapshot does not hold is gone. @param {import("./wire.js").Snapshot} message */
  snapshot(message) {
    if (message.part === 1) {
      this.#seen = new Set();
      this.actors = new Map(message.actors.map((actor) => [actor.id, actor]));
      this.#batch.actors = true;
      this.#keepOnly(this.gateways, message.gateways.map((gateway) => gateway.gateway_id));
      this.#keepOnly(this.alerts, message.alerts.map((alert) => alert.id));
      if (message.rollouts !== undefined) this.rollouts.clear();
      this.plansTold = message.plans !== undefined;
      this.plans = new Map((message.plans ?? []).map((plan) => [plan.id, plan]));
    }
    for (const gateway of message.gateways) this.#put("gateway", gateway);
    for (const alert of message.alerts) this.#put("alert", alert);
    for (const rollout of message.rollouts ?? []) this.#put("rollout", rollout);
    for (const device of message.devices) {
      this.#seen?.add(device.dev_eui);
      this.#put("device", device);
    }
    this.arrived = message.part / message.parts;
    if (message.part === message.parts && this.#seen !== null) {
      for (const devEui of this.devices.keys()) if (!this.#seen.has(devEui)) this.#forget(devEui);
      this.#seen = null;
      this.known = true;
    }
    this.#batch.all = true;
    this.#schedule();
  }

  /** @param {import("./wire.js").Change[]} changes */
  changes(changes) {
    for (const { kind, what } of changes) this.#put(kind, what);
    if (changes.length > 0) this.#schedule();
  }

  /** Rollouts that were asked for by HTTP. @param {import("./wire.js").Rollout[]} rollouts */
  putRollouts(rollouts) {
    for (const rollout of rollouts) {
      const known = this.rollouts.get(rollout.id);
      if (known !== undefined && known.changed_at > rollout.changed_at) continue;
      this.rollouts.set(rollout.id, rollout);
      this.#batch.rollouts.add(rollout.id);
    }
    this.#schedule();
  }

  /** An alert as an answer told it. @param {import("./wire.js").Alert} alert */
  putAlert(alert) {
    this.#put("alert", alert);
    this.#schedule();
  }

  /** @param {string} kind @param {any} what */
  #put(kind, what) {
    switch (kind) {
      case "device":
        this.devices.set(what.dev_eui, what);
        this.#judge(what);
        break;
      case "removed":
      case "device_removed": // of services before 0.2
        this.#forget(what.dev_eui, what.name || what.dev_eui, what.why);
        break;
      case "command":
        this.#putCommand(what);
        break;
      case "gateway":
        this.gateways.set(what.gateway_id, what);
        this.#batch.gateways.add(what.gateway_id);
        break;
      case "alert":
        if (what.open) this.alerts.set(what.id, what);
        else this.alerts.delete(what.id);
        this.#batch.alerts = true;
        break;
      case "actor":
        this.#putActor(what);
        break;
      case "rollout":
        this.rolloutsToldAt = performance.now();
        this.rollouts.set(what.id, what);
        this.#batch.rollouts.add(what.id);
        break;
      case "plan":
        this.plans.set(what.id, what);
        this.#batch.plans = true;
        break;
      case "plan_removed":
        this.plans.delete(what.id);
        this.#batch.plans = true;
        break;
    }
  }

  /** @param {import("./wire.js").Command} command */
  #putCommand(command) {
    const known = this.commands.get(command.dev_eui);
    // The end of a superseded command is told after the beginning of its successor.
    if (known !== undefined && known.id !== command.id && known.accepted_at > command.accepted_at) return;
    this.commands.set(command.dev_eui, command);
    this.#batch.commands.add(command.dev_eui);
  }

  /** @param {import("./wire.js").Actor} actor */
  #putActor(actor) {
    this.actors.set(actor.id, actor);
    this.#batch.actors = true;
    const device = actor.id.startsWith("device ") ? this.devices.get(actor.id.slice(7)) : undefined;
    if (device !== undefined) this.#judge(device);
  }

  /** @param {Device} device */
  #judge(device) {
    const kind = kindOf(device, this);
    const before = this.#kinds.get(device.dev_eui);
    if (kind !== before) {
      if (before !== undefined) this.counts[before] -= 1;
      this.counts[kind] += 1;
      this.#kinds.set(device.dev_eui, kind);
    }
    this.#batch.devices.add(device.dev_eui);
  }

  /** @param {string} devEui @param {string} name @param {string} why */
  #forget(devEui, name = this.lightName(devEui), why = t("gone.unknown")) {
    if (!this.devices.has(devEui)) return;
    this.#batch.devices.add(devEui);
    this.#batch.gone.push(t("gone", { name, why }));
    this.counts[this.kind(devEui)] -= 1;
    this.#kinds.delete(devEui);
    this.devices.delete(devEui);
    this.commands.delete(devEui);
  }

  /** @param {Map<string, unknown>} map @param {string[]} ids */
  #keepOnly(map, ids) {
    const kept = new Set(ids);
    for (const id of map.keys()) if (!kept.has(id)) map.delete(id);
    this.#batch.alerts = true;
  }

  #schedule() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // A page in the background draws no frames, but must not fall behind: the timer alone decides then.
    const tell = () => this.#tell();
    setTimeout(() => (document.hidden ? tell() : requestAnimationFrame(tell)), this.#batch.all ? 0 : GATHER_MS);
  }

  #tell() {
    this.#scheduled = false;
    const batch = this.#batch;
    this.#batch = freshBatch();
    for (const listener of this.#listeners) listener(batch);
  }
}
