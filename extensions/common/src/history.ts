import { el } from "./dom.js";
import { formatAgo } from "./format.js";
import type { Live } from "./live.js";
import { failureBox } from "./requests.js";
import type { VersionRow } from "./wire.js";

/** The versions of a plugin, each with a button to go back to it. */
export class HistoryView {
  readonly element = el("div", { class: "nl-history" });

  constructor(
    private readonly live: Live,
    private readonly plugin: string,
  ) {
    void this.refresh();
  }

  private async refresh(): Promise<void> {
    try {
      const { answer } = this.live.client.ask({ type: "history", plugin: this.plugin });
      const found = await answer;
      if (found.kind === "history") {
        this.show(found.versions);
      }
    } catch (error) {
      this.element.replaceChildren(failureBox(error, this.live.trans));
    }
  }

  private show(versions: readonly VersionRow[]): void {
    const { trans } = this.live;
    if (versions.length === 0) {
      this.element.replaceChildren(
        el(
          "p",
          { class: "nl-quiet" },
          trans.__("No version is kept yet; one is once it has come up."),
        ),
      );
      return;
    }
    const headings = [trans.__("Version"), trans.__("Files"), trans.__("Came up"), ""];
    this.element.replaceChildren(
      el(
        "table",
        { class: "nl-small-table" },
        el(
          "thead",
          {},
          el("tr", {}, ...headings.map((text) => el("th", { attrs: { scope: "col" } }, text))),
        ),
        el("tbody", {}, ...versions.map((version) => this.row(version))),
      ),
    );
  }

  private row(version: VersionRow): HTMLElement {
    const { trans } = this.live;
    const place = el("td", {});
    if (version.serves) {
      place.append(el("span", { class: "nl-badge nl-tone-good" }, trans.__("serves")));
    } else {
      const button = el(
        "button",
        {
          class: "nl-button",
          attrs: { type: "button", "aria-label": trans.__("Go back to %1", version.version) },
        },
        trans.__("Go back"),
      );
      button.addEventListener("click", () => {
        button.disabled = true;
        void this.goBack(version);
      });
      place.append(button);
    }
    return el(
      "tr",
      {},
      el("th", { attrs: { scope: "row" } }, version.version),
      el("td", {}, el("code", {}, version.digest.slice(0, 10))),
      el("td", {}, formatAgo(version.at, Date.now() / 1000, trans)),
      place,
    );
  }

  private async goBack(version: VersionRow): Promise<void> {
    try {
      await this.live.client.ask({ type: "rollback", plugin: this.plugin, version: version.digest })
        .answer;
      await this.refresh();
    } catch (error) {
      await this.refresh();
      this.element.append(failureBox(error, this.live.trans));
    }
  }
}
