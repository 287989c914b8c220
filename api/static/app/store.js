// What the service told, by id. The rule it keeps: nothing is in here but what the service said;
// readers are told once a frame which things changed, however many messages came in it.

import { kindOf } from "./words.js";

export const KINDS = ["verified", "working", "held", "failed", "quiet"];

function freshBatch() {
  return { devices: new Set(), gateways: new Set(), alerts: false, commands: new Set(), all: false };
}

export class Store {
  devices = new Map();
  gateways = new Map();
  alerts = new Map();
  actors = new Map();
  /** Whether a whole snapshot came: before that, empty means nothing. */
  known = false;
  /** The newest command of each light that was told of since the page opened. */
  commands = new Map();
  counts = Object.fromEntries(KINDS.map((kind) => [kind, 0]));
  #kinds = new Map();
  #batch = freshBatch();
  #listeners = [];
  #frame = null;
  #seen = null;

  subscribe(listener) {
    this.#listeners.push(listener);
  }

  kind(devEui) {
    return this.#kinds.get(devEui) ?? "quiet";
  }

  gatewayName(id) {
    return this.gateways.get(id)?.name || id;
  }

  /** One part of a snapshot. What the whole snapshot does not hold is gone. */
  snapshot(message) {
    if (message.part === 1) this.#seen = new Set();
    for (const gateway of message.gateways) this.#put("gateway", gateway);
    for (const alert of message.alerts) this.#put("alert", alert);
    if (message.part === 1) {
      this.actors = new Map(message.actors.map((actor) => [actor.id, actor]));
      this.#keepOnly(this.gateways, message.gateways.map((gateway) => gateway.gateway_id));
      this.#keepOnly(this.alerts, message.alerts.map((alert) => alert.id));
    }
    for (const device of message.devices) {
      this.#seen?.add(device.dev_eui);
      this.#put("device", device);
    }
    if (message.part === message.parts && this.#seen !== null) {
      for (const devEui of this.devices.keys()) if (!this.#seen.has(devEui)) this.#forget(devEui);
      this.#seen = null;
      this.known = true;
    }
    this.#batch.all = true;
    this.#schedule();
  }

  changes(changes) {
    for (const { kind, what } of changes) this.#put(kind, what);
    this.#schedule();
  }

  #put(kind, what) {
    switch (kind) {
      case "device":
        this.devices.set(what.dev_eui, what);
        this.#judge(what.dev_eui);
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
    }
  }

  #putCommand(command) {
    const known = this.commands.get(command.dev_eui);
    // The end of a superseded command is told after the beginning of its successor.
    if (known !== undefined && known.id !== command.id && known.accepted_at > command.accepted_at) return;
    this.commands.set(command.dev_eui, command);
    this.#batch.commands.add(command.dev_eui);
    if (this.devices.has(command.dev_eui)) this.#batch.devices.add(command.dev_eui);
  }

  #putActor(actor) {
    this.actors.set(actor.id, actor);
    const devEui = actor.id.startsWith("device ") ? actor.id.slice(7) : null;
    if (devEui !== null && this.devices.has(devEui)) this.#judge(devEui);
  }

  #judge(devEui) {
    const kind = kindOf(this.devices.get(devEui), this);
    const before = this.#kinds.get(devEui);
    if (kind !== before) {
      if (before !== undefined) this.counts[before] -= 1;
      this.counts[kind] += 1;
      this.#kinds.set(devEui, kind);
    }
    this.#batch.devices.add(devEui);
  }

  #forget(devEui) {
    this.counts[this.#kinds.get(devEui)] -= 1;
    this.#kinds.delete(devEui);
    this.devices.delete(devEui);
    this.commands.delete(devEui);
  }

  #keepOnly(map, ids) {
    const kept = new Set(ids);
    for (const id of map.keys()) if (!kept.has(id)) map.delete(id);
    this.#batch.alerts = true;
  }

  #schedule() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      const batch = this.#batch;
      this.#batch = freshBatch();
      for (const listener of this.#listeners) listener(batch);
    });
  }
}
