// Which part of a plan is seen: how large, and where its corner is. Pure; shares of the picture on one side,
// pixels of the stage on the other.

/** @typedef {{x: number, y: number}} Point */

const OUT_MOST = 0.5; // of the size at which all of it is seen
const IN_MOST = 40;
const EDGE = 0.3; // so much of the stage stays covered by the plan

export class View {
  width = 1; // of the stage
  height = 1;
  pictureWidth = 1;
  pictureHeight = 1;
  scale = 1; // pixels of the stage for one of the picture
  left = 0; // of the picture's corner on the stage
  top = 0;
  #fitted = true;

  /** @param {number} width @param {number} height */
  resize(width, height) {
    if (width === this.width && height === this.height) return;
    const middle = this.shareAt(this.width / 2, this.height / 2);
    this.width = width;
    this.height = height;
    if (this.#fitted) this.fit();
    else this.show(middle);
  }

  /** @param {number} width @param {number} height */
  picture(width, height) {
    if (width === this.pictureWidth && height === this.pictureHeight) return;
    this.pictureWidth = width;
    this.pictureHeight = height;
    this.fit();
  }

  /** The scale at which all of it is seen. */
  get whole() {
    return Math.min(this.width / this.pictureWidth, this.height / this.pictureHeight) * 0.97;
  }

  /** How much larger than that. */
  get zoom() {
    return this.scale / this.whole;
  }

  fit() {
    this.#fitted = true;
    this.scale = this.whole;
    this.left = (this.width - this.pictureWidth * this.scale) / 2;
    this.top = (this.height - this.pictureHeight * this.scale) / 2;
  }

  /** Larger or smaller, while what is at this pixel stays there. @param {number} factor @param {number} x @param {number} y */
  zoomAt(factor, x, y) {
    this.#fitted = false;
    const next = Math.min(this.whole * IN_MOST, Math.max(this.whole * OUT_MOST, this.scale * factor));
    const ratio = next / this.scale;
    this.scale = next;
    this.left = x - (x - this.left) * ratio;
    this.top = y - (y - this.top) * ratio;
    this.#keep();
  }

  /** @param {number} dx @param {number} dy */
  pan(dx, dy) {
    this.#fitted = false;
    this.left += dx;
    this.top += dy;
    this.#keep();
  }

  /** Have this place in the middle. @param {Point} share */
  show({ x, y }) {
    this.#fitted = false;
    this.left = this.width / 2 - x * this.pictureWidth * this.scale;
    this.top = this.height / 2 - y * this.pictureHeight * this.scale;
    this.#keep();
  }

  /** Bring this place into sight, if it is not. @param {Point} share @param {number} margin */
  reveal(share, margin) {
    const { x, y } = this.pixelOf(share.x, share.y);
    const dx = x < margin ? margin - x : Math.min(0, this.width - margin - x);
    const dy = y < margin ? margin - y : Math.min(0, this.height - margin - y);
    if (dx !== 0 || dy !== 0) this.pan(dx, dy);
  }

  /** @param {number} x @param {number} y */
  pixelOf(x, y) {
    return { x: this.left + x * this.pictureWidth * this.scale, y: this.top + y * this.pictureHeight * this.scale };
  }

  /** @param {number} x @param {number} y @returns {Point} */
  shareAt(x, y) {
    return { x: (x - this.left) / (this.pictureWidth * this.scale), y: (y - this.top) / (this.pictureHeight * this.scale) };
  }

  #keep() {
    const [wide, high] = [this.pictureWidth * this.scale, this.pictureHeight * this.scale];
    this.left = Math.min(this.width * (1 - EDGE), Math.max(this.width * EDGE - wide, this.left));
    this.top = Math.min(this.height * (1 - EDGE), Math.max(this.height * EDGE - high, this.top));
  }
}

/** A share of the picture, to a hundred-thousandth of it. @param {number} share */
export function clamp(share) {
  return Math.round(Math.min(1, Math.max(0, share)) * 100_000) / 100_000;
}

/** @param {{x: number, y: number}} one @param {{x: number, y: number}} other */
export function boxOf(one, other) {
  return { x: Math.min(one.x, other.x), y: Math.min(one.y, other.y), width: Math.abs(one.x - other.x), height: Math.abs(one.y - other.y) };
}
