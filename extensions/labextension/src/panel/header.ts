import { el, setText } from "@nebula-lab/common";
import { Widget } from "@lumino/widgets";
import type { Model } from "../model.js";
import type { Cure, Notice } from "./standing_words.js";
import { noticeOf } from "./standing_words.js";

/** Says which notebook is shown, and what is the matter where there is nothing to show of it. */
export class Header extends Widget {
  constructor(private readonly model: Model) {
    const name = el("div", { class: "nl-side-document" });
    const notice = el("p", { class: "nl-side-notice", attrs: { role: "status" } });
    const remark = el("p", { class: "nl-side-remark", attrs: { role: "alert" } });
    const button = el("button", { class: "nl-side-cure jp-mod-styled jp-mod-accept" });
    super({ node: el("div", { class: "nl-side-header" }, name, notice, remark, button) });
    this.name = name;
    this.notice = notice;
    this.remark = remark;
    this.button = button;
    button.type = "button";
    button.addEventListener("click", () => this.heal());
    model.changed.listen(() => this.refresh());
    this.refresh();
  }

  /** Load or reconnect, whichever is due. */
  heal(): void {
    const link = this.model.talk?.link;
    if (this.cure === "load") {
      void link?.load();
    } else if (this.cure === "reconnect") {
      void link?.connect();
    }
  }

  private refresh(): void {
    const { trans, document, talk } = this.model;
    setText(this.name, document?.title.label ?? "");
    this.name.title = document?.title.caption ?? "";
    const { text, cure } = this.current();
    this.cure = cure;
    setText(this.notice, text);
    this.notice.hidden = text === "";
    const remark = talk?.link.remark ?? "";
    setText(this.remark, remark);
    this.remark.hidden = remark === "";
    setText(this.button, cure === "load" ? trans.__("Load nebula_lab") : trans.__("Try again"));
    this.button.hidden = cure === null;
  }

  private current(): Notice {
    const { trans, talk, document } = this.model;
    if (talk === null) {
      const text =
        document === null
          ? trans.__("Open a notebook to see its plugins.")
          : trans.__("%1 has no kernel.", document.title.label);
      return { text, cure: null };
    }
    const { standing } = talk.link;
    if (standing !== "open") {
      return noticeOf(standing, trans);
    }
    if (talk.live.client.speaksAnother) {
      const text = trans.__(
        "This kernel has another version of nebula_lab than this JupyterLab, and the two do not " +
          "understand each other. Install the same version in both.",
      );
      return { text, cure: "reconnect" };
    }
    const isQueued = talk.live.client.status === "queued";
    const text = isQueued
      ? trans.__("The kernel is busy: what you ask for is queued until the cell ends.")
      : "";
    return { text, cure: null };
  }

  private readonly name: HTMLElement;
  private readonly notice: HTMLElement;
  private readonly remark: HTMLElement;
  private readonly button: HTMLButtonElement;
  private cure: Cure = null;
}
