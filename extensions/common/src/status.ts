import type { Dispose, LossWord, Status } from "./connection.js";
import { el, setText } from "./dom.js";
import type { Live } from "./live.js";
import type { Trans } from "./trans.js";

/** Says whether the kernel listens, and what to do where it does not; empty while all is well. */
export class StatusLine {
  readonly element = el("span", { class: "nl-status", attrs: { role: "status" } });
  private readonly stopListening: Dispose;
  private root: HTMLElement | undefined;

  constructor(private readonly live: Live) {
    this.stopListening = live.client.statusChanged.listen((status) => this.show(status));
    this.show(live.client.status);
  }

  /** Grey out what is old while nothing new can come. */
  greysOut(root: HTMLElement): void {
    this.root = root;
    this.show(this.live.client.status);
  }

  dispose(): void {
    this.stopListening();
  }

  private show(status: Status): void {
    this.element.className = `nl-status nl-status-${status}`;
    setText(this.element, this.words(status, this.live.trans));
    this.root?.classList.toggle("nl-is-lost", status === "closed");
  }

  private words(status: Status, trans: Trans): string {
    const { client } = this.live;
    if (client.speaksAnother) {
      return trans.__(
        "The kernel has another version of nebula_lab than this page: reload the page",
      );
    }
    if (status === "closed") {
      return client.loss ? lossWords(client.loss, trans) : trans.__("not connected");
    }
    if (status === "live") {
      return "";
    }
    return client.isDirect
      ? trans.__("waiting for the kernel to answer …")
      : trans.__("queued until the cell ends");
  }
}

function lossWords(loss: LossWord, trans: Trans): string {
  const words: Readonly<Record<LossWord, string>> = {
    restarted: trans.__(
      "Not connected: the kernel has been restarted. Load nebula_lab and run this cell again.",
    ),
    ended: trans.__(
      "Not connected: the kernel has ended. Start it, load nebula_lab and run this cell again.",
    ),
    left: trans.__(
      "Not connected: nebula_lab has been loaded anew or unloaded. Run this cell again.",
    ),
    away: trans.__("Not connected: waiting for the kernel to be within reach again …"),
  };
  return words[loss];
}
