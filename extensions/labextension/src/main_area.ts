import { MainAreaWidget } from "@jupyterlab/apputils";
import { DashboardView, GraphView } from "@nebula-lab/common";
import type { Live } from "@nebula-lab/common";
import { Widget } from "@lumino/widgets";
import { pluginsIcon } from "./icons.js";
import type { Model } from "./model.js";

/** A view that fills a tab. */
interface View {
  setVisible(isVisible: boolean): void;
  dispose(): void;
}

class ViewWidget extends Widget {
  constructor(live: Live, make: (host: HTMLElement, live: Live) => View) {
    super();
    this.addClass("nl-main");
    this.view = make(this.node, live);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.view.dispose();
      super.dispose();
    }
  }

  protected override onAfterShow(): void {
    this.view.setVisible(true);
  }

  protected override onAfterAttach(): void {
    this.view.setVisible(this.isVisible);
  }

  protected override onAfterHide(): void {
    this.view.setVisible(false);
  }

  private readonly view: View;
}

export type ViewName = "dashboard" | "graph";

const BY_TAB = { tracksVisibility: false };
const VIEWS: Readonly<Record<ViewName, (host: HTMLElement, live: Live) => View>> = {
  dashboard: (host, live) => new DashboardView(host, live, BY_TAB),
  graph: (host, live) => new GraphView(host, live, BY_TAB),
};

/** The dashboard or the graph of the kernel in front, for a tab; null where there is no kernel. */
export function mainAreaView(model: Model, name: ViewName): MainAreaWidget | null {
  const { talk, trans, document } = model;
  if (talk === null) {
    return null;
  }
  const widget = new MainAreaWidget({ content: new ViewWidget(talk.live, VIEWS[name]) });
  const titles = { dashboard: trans.__("Plugins"), graph: trans.__("Plugin graph") };
  widget.id = `nebula-lab-${name}-${talk.kernel.id}`;
  widget.title.label = `${titles[name]}: ${document?.title.label ?? ""}`;
  widget.title.icon = pluginsIcon;
  widget.title.closable = true;
  return widget;
}
