import type { JupyterFrontEnd } from "@jupyterlab/application";
import { MainAreaWidget } from "@jupyterlab/apputils";
import { DashboardView, GraphView } from "@nebula-lab/common";
import type { Live } from "@nebula-lab/common";
import { Widget } from "@lumino/widgets";
import { pluginsIcon } from "./icons.js";
import type { Model } from "./model.js";
import type { Talk } from "./talk.js";

/** A view that fills a tab. */
interface View {
  setVisible(isVisible: boolean): void;
  dispose(): void;
}

class ViewWidget extends Widget {
  constructor(
    readonly talk: Talk,
    make: (host: HTMLElement, live: Live) => View,
  ) {
    super();
    this.addClass("nl-main");
    this.view = make(this.node, talk.live);
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

/** In a sidebar of Notebook 7. */
const BELOW_OTHERS = 900;

export type ViewName = "dashboard" | "graph";

const BY_TAB = { tracksVisibility: false };
const VIEWS: Readonly<Record<ViewName, (host: HTMLElement, live: Live) => View>> = {
  dashboard: (host, live) => new DashboardView(host, live, BY_TAB),
  graph: (host, live) => new GraphView(host, live, BY_TAB),
};

/**
 * Show the dashboard or the graph of a kernel in a tab; in the one that there is, if there is one.
 *
 * Notebook 7 has room for its notebook only in the middle, so there it goes to the right of that.
 */
export function openView(app: JupyterFrontEnd, model: Model, talk: Talk, name: ViewName): void {
  const id = `nebula-lab-${name}-${talk.kernel.id}`;
  const area = isNotebook7(app) ? "right" : "main";
  const known = [...app.shell.widgets(area)].find((one) => one.id === id);
  const isOfAnother = known instanceof MainAreaWidget && talkOf(known) !== talk;
  if (isOfAnother) {
    known.dispose(); // the notebook was closed and opened again, and the kernel has gone on
  }
  if (known === undefined || isOfAnother) {
    const widget = viewWidget(model, talk, name);
    widget.id = id;
    app.shell.add(widget, area, { mode: "split-right", rank: BELOW_OTHERS });
  }
  app.shell.activateById(id);
}

function talkOf({ content }: MainAreaWidget): Talk | null {
  return content instanceof ViewWidget ? content.talk : null;
}

function isNotebook7(app: JupyterFrontEnd): boolean {
  return app.name === "Jupyter Notebook";
}

function viewWidget({ trans, document }: Model, talk: Talk, name: ViewName): MainAreaWidget {
  const widget = new MainAreaWidget({ content: new ViewWidget(talk, VIEWS[name]) });
  const titles = { dashboard: trans.__("Plugins"), graph: trans.__("Plugin graph") };
  const { title } = widget;
  title.icon = pluginsIcon;
  title.closable = true;
  const of = document?.title.label ?? "";
  const label = () => {
    const hasEnded = talk.isDisposed || talk.link.standing === "dead";
    title.label = `${titles[name]}: ${hasEnded ? trans.__("%1 (kernel has ended)", of) : of}`;
    widget.toggleClass("nl-side-stale", talk.link.standing !== "open");
  };
  title.caption = titles[name];
  const stop = talk.link.changed.listen(label);
  widget.disposed.connect(stop);
  label();
  return widget;
}
