import { MainAreaWidget } from "@jupyterlab/apputils";
import { DashboardView, GraphView } from "@nebula-lab/common";
import type { Live } from "@nebula-lab/common";
import { Widget } from "@lumino/widgets";
import { pluginsIcon } from "./icons.js";
import type { Model } from "./model.js";

/** A view that fills a tab. */
interface View {
  readonly element: HTMLElement;
  setVisible(isVisible: boolean): void;
  dispose(): void;
}

class ViewWidget extends Widget {
  constructor(private readonly view: View) {
    super();
    this.addClass("nl-root");
    this.addClass("nl-main");
    this.node.append(view.element);
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
}

export type ViewName = "dashboard" | "graph";

const VIEWS: Readonly<Record<ViewName, (live: Live) => View>> = {
  dashboard: (live) => new DashboardView(live),
  graph: (live) => new GraphView(live),
};

/** The dashboard or the graph of the kernel in front, for a tab; null where there is no kernel. */
export function mainAreaView(model: Model, name: ViewName): MainAreaWidget | null {
  const { talk, trans, document } = model;
  if (talk === null) {
    return null;
  }
  const widget = new MainAreaWidget({ content: new ViewWidget(VIEWS[name](talk.live)) });
  const titles = { dashboard: trans.__("Plugins"), graph: trans.__("Plugin graph") };
  widget.id = `nebula-lab-${name}-${talk.kernel.id}`;
  widget.title.label = `${titles[name]}: ${document?.title.label ?? ""}`;
  widget.title.icon = pluginsIcon;
  widget.title.closable = true;
  return widget;
}
