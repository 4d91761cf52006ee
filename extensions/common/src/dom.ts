/** Makes elements; whatever text they are given is text, never markup. */

import { clip } from "./clip.js";

/** More than the kernel sends in one text. Characters. */
const LONGEST = 100_000;

export type Child = Node | string | null | undefined | false;

export interface Props {
  class?: string;
  title?: string;
  attrs?: Readonly<Record<string, string | number | boolean | undefined>>;
  on?: { [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (props.class) {
    element.className = props.class;
  }
  if (props.title) {
    element.title = props.title;
  }
  setAttributes(element, props.attrs ?? {});
  for (const [type, listener] of Object.entries(props.on ?? {})) {
    element.addEventListener(type, listener as EventListener);
  }
  append(element, children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attrs: Readonly<Record<string, string | number | boolean | undefined>> = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  setAttributes(element, attrs);
  append(element, children);
  return element;
}

/** Set a text that may be the same as before, which then costs no layout. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/**
 * Put an element before another one. Where the browser can move it, nothing in it loses its scroll
 * position; elsewhere it keeps the focus at least.
 */
export function place(parent: HTMLElement, element: Element, before: Element | null): void {
  const { moveBefore } = parent as { moveBefore?: (node: Node, before: Node | null) => void };
  if (moveBefore && element.parentNode === parent) {
    moveBefore.call(parent, element, before);
    return;
  }
  const focused = document.activeElement;
  parent.insertBefore(element, before);
  if (focused instanceof HTMLElement && element.contains(focused)) {
    focused.focus({ preventScroll: true });
  }
}

export function setClass(element: Element, name: string, on: boolean): void {
  element.classList.toggle(name, on);
}

/** An id for what `aria-controls` and `for` refer to; no two are the same on a page. */
export function uniqueId(word: string): string {
  return `nl-${word}-${Math.random().toString(36).slice(2, 10)}`;
}

function setAttributes(
  element: Element,
  attrs: Readonly<Record<string, string | number | boolean | undefined>>,
): void {
  for (const [name, value] of Object.entries(attrs)) {
    if (value === undefined || value === false) {
      element.removeAttribute(name);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child !== null && child !== undefined && child !== false) {
      element.append(typeof child === "string" ? clip(child, LONGEST) : child);
    }
  }
}
