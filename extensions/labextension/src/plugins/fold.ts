import { el } from "@nebula-lab/common";

/** Something that is made when it is first unfolded, since it asks the kernel for what it shows. */
export class Fold {
  readonly element: HTMLDetailsElement;

  constructor(label: string, make: () => HTMLElement) {
    this.element = el("details", { class: "nl-side-fold" }, el("summary", {}, label));
    this.element.addEventListener("toggle", () => {
      if (this.element.open && this.element.childElementCount === 1) {
        this.element.append(make());
      }
    });
  }
}
