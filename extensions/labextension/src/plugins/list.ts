import type { Dispose, PluginRow, Store } from "@nebula-lab/common";
import { el } from "@nebula-lab/common";
import type { Model } from "../model.js";
import { Section, setEmpty } from "../panel/section.js";
import type { Settings } from "../settings.js";
import type { Talk } from "../talk.js";
import { PluginDetails } from "./details.js";
import { moveFocus } from "./roving.js";
import { PluginItem } from "./row.js";

/** The plugins of the kernel in front, in the order of their ids. */
export class PluginsSection extends Section {
  /** @param showLogs - bring what a plugin has written into view */
  constructor(
    model: Model,
    private readonly settings: Settings,
    private readonly showLogs: (id: string) => void,
  ) {
    const { trans } = model;
    super(model, "plugins", trans.__("Plugins"), trans.__("Every plugin of this kernel"));
    this.filter = el("input", {
      class: "nl-input nl-side-filter",
      attrs: { type: "search", placeholder: trans.__("Filter"), spellcheck: "false" },
    });
    this.filter.setAttribute("aria-label", trans.__("Show only plugins whose name has this text"));
    this.filter.addEventListener("input", () => this.applyFilter());
    this.empty = el("p", { class: "nl-quiet" });
    this.list = el("ul", { class: "nl-side-list", attrs: { "aria-label": trans.__("Plugins") } });
    this.list.addEventListener("keydown", (event) => moveFocus(event, this.reachable()));
    this.list.addEventListener("focusin", (event) => this.noteFocus(event.target));
    this.node.append(this.filter, this.empty, this.list);
  }

  /** Let the user type what to show. */
  focusFilter(): void {
    this.filter.focus();
    this.filter.select();
  }

  protected bind(talk: Talk): Dispose[] {
    if (talk !== this.shown) {
      this.clear();
      this.shown = talk;
    }
    const { store } = talk.live;
    this.refresh(store, store.rows.keys());
    const redraw = () => this.refresh(store, store.rows.keys());
    this.settings.changed.connect(redraw);
    return [
      store.changed.listen(({ ids }) => this.refresh(store, ids)),
      () => void this.settings.changed.disconnect(redraw),
    ];
  }

  protected clear(): void {
    this.items.forEach((item) => item.dispose());
    this.items.clear();
    this.shown = null;
    setEmpty(this.empty, "");
  }

  private refresh(store: Store, ids: Iterable<string>): void {
    let isOther = false;
    for (const id of ids) {
      const row = store.row(id);
      isOther = (row === undefined ? this.drop(id) : this.showRow(store, row)) || isOther;
    }
    for (const id of [...this.items.keys()].filter((one) => store.row(one) === undefined)) {
      isOther = this.drop(id) || isOther;
    }
    if (isOther) {
      this.arrange();
    }
    const isEmpty = store.isFilled && store.rows.size === 0;
    setEmpty(
      this.empty,
      isEmpty ? this.model.trans.__("No plugins were found. %plugin new ID writes one.") : "",
    );
  }

  /** Whether there was no item for it. */
  private showRow(store: Store, row: PluginRow): boolean {
    let item = this.items.get(row.id);
    const isNew = item === undefined;
    if (item === undefined) {
      item = new PluginItem({ trans: this.model.trans, details: (id) => this.details(id) }, row.id);
      this.items.set(row.id, item);
    }
    item.show(row, store.trend(row.id), this.settings.choices.sparklines);
    return isNew;
  }

  private details(id: string): PluginDetails {
    const talk = this.shown;
    if (talk === null) {
      throw new Error(`the plugin ${id} is of no kernel any more`);
    }
    return new PluginDetails(talk.live, id, this.showLogs);
  }

  private drop(id: string): boolean {
    const item = this.items.get(id);
    const hadFocus = item?.element.contains(document.activeElement) === true;
    const next = item?.element.nextElementSibling ?? item?.element.previousElementSibling;
    item?.dispose();
    if (hadFocus) {
      (next?.firstElementChild as HTMLElement | null | undefined)?.focus();
    }
    return this.items.delete(id) && item !== undefined;
  }

  private arrange(): void {
    const order = [...this.items.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
    const focused = document.activeElement;
    order.forEach(({ element }, index) => {
      if (this.list.children[index] !== element) {
        this.list.insertBefore(element, this.list.children[index] ?? null);
      }
    });
    if (focused instanceof HTMLElement && this.list.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
    this.applyFilter();
  }

  private applyFilter(): void {
    const wanted = this.filter.value.trim().toLowerCase();
    for (const item of this.items.values()) {
      const name = this.shown?.live.store.row(item.id)?.name.toLowerCase() ?? "";
      item.element.hidden = !(item.id.toLowerCase().includes(wanted) || name.includes(wanted));
    }
    this.keepOneReachable();
  }

  private reachable(): HTMLButtonElement[] {
    const shown = [...this.list.children].filter((node) => !(node as HTMLElement).hidden);
    return shown.map((node) => node.firstElementChild as HTMLButtonElement);
  }

  /** One row is in the order of the Tab key, and the arrow keys lead to the others. */
  private keepOneReachable(): void {
    const buttons = this.reachable();
    if (buttons.every((button) => button.tabIndex !== 0) && buttons[0] !== undefined) {
      buttons[0].tabIndex = 0;
    }
  }

  private noteFocus(target: EventTarget | null): void {
    const buttons = this.reachable();
    const focused = buttons.find((button) => button === target);
    if (focused !== undefined) {
      buttons.forEach((button) => {
        button.tabIndex = button === focused ? 0 : -1;
      });
    }
  }

  private readonly filter: HTMLInputElement;
  private readonly empty: HTMLElement;
  private readonly list: HTMLElement;
  private readonly items = new Map<string, PluginItem>();
  private shown: Talk | null = null;
}
