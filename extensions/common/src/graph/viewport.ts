import type { Point } from "./layout.js";

const SMALLEST = 0.08;
const LARGEST = 2.5;

/** Which part of a drawing is seen: dragging moves it; a wheel with Ctrl, and buttons, zoom it. */
export class Viewport {
  private scale = 1;
  private x = 0;
  private y = 0;
  private drag: { readonly from: Point; readonly x: number; readonly y: number } | undefined;
  private hasMoved = false;

  constructor(
    private readonly frame: SVGSVGElement,
    private readonly content: SVGGElement,
  ) {
    frame.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    frame.addEventListener("pointerdown", (event) => this.down(event));
    frame.addEventListener("pointermove", (event) => this.move(event));
    frame.addEventListener("pointerup", () => (this.drag = undefined));
    frame.addEventListener("pointercancel", () => (this.drag = undefined));
  }

  /** Whether the last press was a drag, and so no click. */
  get wasDragged(): boolean {
    return this.hasMoved;
  }

  /** Show all of a drawing of this size, and nothing larger than it is. */
  fit(width: number, height: number): void {
    const box = this.frame.getBoundingClientRect();
    if (box.width === 0 || width === 0) {
      return;
    }
    this.scale = clamp(Math.min(box.width / width, box.height / height, 1));
    this.x = (box.width - width * this.scale) / 2;
    this.y = (box.height - height * this.scale) / 2;
    this.apply();
  }

  zoom(factor: number): void {
    const box = this.frame.getBoundingClientRect();
    this.zoomAt(factor, { x: box.width / 2, y: box.height / 2 });
  }

  /** Bring a point of the drawing into sight, if it is not. */
  reveal(point: Point): void {
    const box = this.frame.getBoundingClientRect();
    const at = { x: point.x * this.scale + this.x, y: point.y * this.scale + this.y };
    if (at.x < 40 || at.y < 20 || at.x > box.width - 40 || at.y > box.height - 20) {
      this.x += box.width / 2 - at.x;
      this.y += box.height / 2 - at.y;
      this.apply();
    }
  }

  private zoomAt(factor: number, at: Point): void {
    const scale = clamp(this.scale * factor);
    this.x = at.x - ((at.x - this.x) * scale) / this.scale;
    this.y = at.y - ((at.y - this.y) * scale) / this.scale;
    this.scale = scale;
    this.apply();
  }

  private wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey) {
      return; // the page is scrolled
    }
    event.preventDefault();
    const box = this.frame.getBoundingClientRect();
    const at = { x: event.clientX - box.left, y: event.clientY - box.top };
    this.zoomAt(Math.exp(-event.deltaY / 300), at);
  }

  private down(event: PointerEvent): void {
    this.hasMoved = false;
    if (event.button === 0) {
      this.drag = { from: { x: event.clientX, y: event.clientY }, x: this.x, y: this.y };
    }
  }

  private move(event: PointerEvent): void {
    if (!this.drag) {
      return;
    }
    const by = { x: event.clientX - this.drag.from.x, y: event.clientY - this.drag.from.y };
    if (!this.hasMoved && Math.hypot(by.x, by.y) < 4) {
      return;
    }
    if (!this.hasMoved) {
      this.hasMoved = true;
      this.frame.setPointerCapture(event.pointerId);
    }
    this.x = this.drag.x + by.x;
    this.y = this.drag.y + by.y;
    this.apply();
  }

  private apply(): void {
    this.content.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`);
  }
}

function clamp(scale: number): number {
  return Math.min(LARGEST, Math.max(SMALLEST, scale));
}
