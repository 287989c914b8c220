// Small pictures of lamps and gateways, drawn once for each look and then only copied: thousands are put on a
// plan sixty times a second. A look is colour, state, size and scheme; the state is a shape around the lamp, as
// everywhere on these pages.

import { blinks, colourLetter, isDark } from "../base/words.js";

/** @typedef {import("../base/wire.js").Light} Light */
/** @typedef {import("../base/words.js").Kind} Kind */
/** @typedef {{light: Light | null, past: boolean, kind: Kind, picked: boolean, lit: boolean}} Look */

// A fleet shows tens of colours in six states; colours faded from one to another may be many more.
const KEPT_MOST = 600;
const EYE = 1 / 2.2; // as in base/lamp.js: a fifth of the duty looks half as bright
const COLOURS = ["verified", "working", "held", "failed", "unreachable", "quiet", "focus", "surface", "text", "soft", "lamp-off", "lamp-rim"];

export class Sprites {
  /** @type {Map<string, HTMLCanvasElement>} */
  #kept = new Map();
  /** @type {Record<string, string>} */
  colours = {};
  #size = 20;
  #ratio = 1;

  /** Read the colours of the page's scheme, and draw everything anew. */
  dress() {
    const probe = document.createElement("span");
    document.body.append(probe);
    for (const name of COLOURS) {
      probe.style.setProperty("color", `var(--${name})`);
      this.colours[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    this.#kept.clear();
  }

  /** How large lamps are, in CSS pixels. @param {number} size @param {number} ratio of the screen's pixels */
  measure(size, ratio) {
    if (size === this.#size && ratio === this.#ratio) return false;
    this.#size = size;
    this.#ratio = ratio;
    this.#kept.clear();
    return true;
  }

  /** Half of a sprite's side, in CSS pixels. */
  get half() {
    return this.#size * 1.05;
  }

  /** @param {Look} look */
  lamp(look) {
    const { light, past, kind, picked, lit } = look;
    const colour = light === null ? "?" : `${light.red},${light.green},${light.blue}`;
    return this.#get(`${colour} ${past} ${kind} ${picked} ${lit}`, (context) => this.#drawLamp(context, look));
  }

  /** @param {boolean} online */
  gateway(online) {
    return this.#get(`gateway ${online}`, (context) => this.#drawGateway(context, online));
  }

  /** @param {string} key @param {(context: CanvasRenderingContext2D) => void} drawn */
  #get(key, drawn) {
    let canvas = this.#kept.get(key);
    if (canvas === undefined) {
      if (this.#kept.size >= KEPT_MOST) this.#kept.clear();
      canvas = document.createElement("canvas");
      canvas.width = canvas.height = Math.ceil(this.half * 2 * this.#ratio);
      const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
      context.scale(this.#ratio, this.#ratio);
      context.translate(this.half, this.half);
      drawn(context);
      this.#kept.set(key, canvas);
    }
    return canvas;
  }

  /** @param {CanvasRenderingContext2D} context @param {Look} look */
  #drawLamp(context, { light, past, kind, picked, lit }) {
    const r = this.#size / 2;
    if (picked) this.#disc(context, r * 1.75, this.colours.focus, 0.35);
    this.#disc(context, r * 1.52, this.colours.surface, 0.88); // stands out from any picture
    if (light === null) {
      this.#ring(context, r * 0.9, this.colours["lamp-rim"], 1.4, [2, 2]);
      this.#letter(context, "?", this.colours.soft);
    } else if (isDark(light) || !lit) this.#disc(context, r, this.colours["lamp-off"], 1, this.colours["lamp-rim"]);
    else this.#lens(context, r, light, past);
    if (light !== null && r >= 7) this.#letter(context, colourLetter(light), past ? this.colours.soft : inkOn(light));
    this.#state(context, r * 1.3, kind);
    if (picked) this.#ring(context, r * 1.75, this.colours.focus, 2, []);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} r @param {Light} light @param {boolean} past */
  #lens(context, r, light, past) {
    const most = Math.max(light.red, light.green, light.blue);
    const level = (most / 255) ** EYE;
    const [red, green, blue] = [light.red, light.green, light.blue].map((byte) => Math.round((byte * 255) / most));
    const hue = `rgb(${red} ${green} ${blue})`;
    if (!past && r >= 6) {
      const glow = context.createRadialGradient(0, 0, r * 0.8, 0, 0, r * 2);
      glow.addColorStop(0, `rgb(${red} ${green} ${blue} / ${0.55 * level})`);
      glow.addColorStop(1, `rgb(${red} ${green} ${blue} / 0)`);
      context.fillStyle = glow;
      context.fillRect(-r * 2, -r * 2, r * 4, r * 4);
    }
    this.#disc(context, r, this.colours["lamp-off"], 1);
    context.globalAlpha = past ? 0.38 : 0.35 + 0.65 * level;
    const lens = context.createRadialGradient(-r * 0.25, -r * 0.4, 0, 0, 0, r);
    lens.addColorStop(0, "rgb(255 255 255 / 0.75)");
    lens.addColorStop(0.4, hue);
    lens.addColorStop(1, hue);
    context.fillStyle = hue;
    context.beginPath();
    context.arc(0, 0, r, 0, 7);
    context.fill();
    if (!past) {
      context.fillStyle = lens;
      context.fill();
    }
    context.globalAlpha = 1;
    if (past) this.#ring(context, r - 0.5, this.colours["lamp-rim"], 1, [2, 2]);
  }

  /** The state as a shape, as rings are in lamp.css. @param {CanvasRenderingContext2D} context @param {number} r @param {Kind} kind */
  #state(context, r, kind) {
    const colour = this.colours[kind];
    const width = Math.max(1.2, r / 7);
    if (kind === "verified") this.#ring(context, r, colour, width * 0.8, []);
    else if (kind === "working") this.#ring(context, r, colour, width, [], 1.5 * Math.PI);
    else if (kind === "held") this.#ring(context, r, colour, width, [r / 2.5, r / 3.5]);
    else if (kind === "unreachable") this.#ring(context, r, colour, width, [width, width * 1.4]);
    else if (kind === "failed") {
      this.#ring(context, r, colour, width, []);
      this.#ring(context, r + width * 1.7, colour, width, []);
    }
  }

  /** @param {CanvasRenderingContext2D} context @param {boolean} online */
  #drawGateway(context, online) {
    const r = this.#size / 2;
    const colour = online ? this.colours.verified : this.colours.failed;
    context.beginPath();
    context.roundRect(-r, -r, r * 2, r * 2, r / 2.5);
    context.fillStyle = this.colours.surface;
    context.fill();
    context.strokeStyle = colour;
    context.lineWidth = Math.max(1.5, r / 6);
    context.setLineDash(online ? [] : [3, 2]);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colour;
    context.fillRect(-r * 0.08, -r * 0.2, r * 0.16, r * 0.8);
    for (const reach of online ? [0.35, 0.65] : []) {
      context.beginPath();
      context.arc(0, -r * 0.25, r * reach, Math.PI * 1.2, Math.PI * 1.8);
      context.stroke();
    }
    if (online) return;
    context.beginPath();
    context.moveTo(-r * 0.45, -r * 0.65);
    context.lineTo(r * 0.45, r * 0.1);
    context.moveTo(r * 0.45, -r * 0.65);
    context.lineTo(-r * 0.45, r * 0.1);
    context.stroke();
  }

  /** @param {CanvasRenderingContext2D} context @param {number} r @param {string} colour @param {number} alpha @param {string} [edge] */
  #disc(context, r, colour, alpha, edge = "") {
    context.globalAlpha = alpha;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(0, 0, r, 0, 7);
    context.fill();
    context.globalAlpha = 1;
    if (edge) this.#ring(context, r - 0.5, edge, 1, []);
  }

  /** @param {CanvasRenderingContext2D} context @param {number} r @param {string} colour @param {number} width @param {number[]} dash */
  #ring(context, r, colour, width, dash, end = 2 * Math.PI) {
    context.setLineDash(dash);
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(0, 0, r, 0, end);
    context.stroke();
    context.setLineDash([]);
  }

  /** @param {CanvasRenderingContext2D} context @param {string} letter @param {string} colour */
  #letter(context, letter, colour) {
    context.fillStyle = colour;
    context.font = `600 ${Math.round(this.#size * 0.58)}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(letter, 0, this.#size * 0.03);
  }
}

/** Black or white, whichever is read on this colour. @param {Light} light */
function inkOn({ red, green, blue }) {
  const most = Math.max(red, green, blue, 1);
  return (0.3 * red + 0.59 * green + 0.11 * blue) / most > 0.45 ? "rgb(0 0 0 / 0.78)" : "rgb(255 255 255 / 0.92)";
}

// As base/lamp.js: hundredths of a second, and never more than three flashes a second.
const UNIT_MS = 10;
const PERIOD_LEAST_MS = 400;

/** Whether a light that blinks is lit at this moment (milliseconds of the page). @param {Light} light @param {number} at */
export function litAt(light, at) {
  if (!blinks(light)) return true;
  const on = Math.max(light.on, 1);
  const period = Math.max((on + light.off) * UNIT_MS, PERIOD_LEAST_MS);
  return (at % period) / period < on / (on + light.off);
}
