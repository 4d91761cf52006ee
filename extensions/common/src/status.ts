import type { Dispose, Status } from "./connection.js";
import { el, setText } from "./dom.js";
import type { Live } from "./live.js";
import type { Trans } from "./trans.js";

/** Says whether the kernel listens; empty while all is well. */
export class StatusLine {
  readonly element = el("span", { class: "nl-status", attrs: { role: "status" } });
  private readonly stopListening: Dispose;

  constructor(private readonly live: Live) {
    this.stopListening = live.client.statusChanged.listen((status) => this.show(status));
    this.show(live.client.status);
  }

  dispose(): void {
    this.stopListening();
  }

  private show(status: Status): void {
    this.element.className = `nl-status nl-status-${status}`;
    setText(this.element, this.words(status, this.live.trans));
    this.element.title =
      status === "queued"
        ? this.live.trans.__("Where the kernel has been restarted, run the cell again.")
        : "";
  }

  private words(status: Status, trans: Trans): string {
    if (this.live.client.speaksAnother) {
      return trans.__(
        "The kernel has another version of nebula_lab than this page: reload the page",
      );
    }
    const words: Readonly<Record<Status, string>> = {
      live: "",
      queued: trans.__("queued until the cell ends"),
      closed: trans.__("not connected"),
    };
    return words[status];
  }
}
