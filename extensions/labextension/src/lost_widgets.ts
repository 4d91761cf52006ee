import type { INotebookTracker } from "@jupyterlab/notebook";
import type { ISignal } from "@lumino/signaling";

/** What stands in the place of a widget that was given up. */
export const LOST = "Error displaying widget: model not found";

interface Part {
  readonly node: HTMLElement;
  readonly widgets?: readonly Part[];
  renderModel?(model: unknown): Promise<void>;
}

interface Cell {
  readonly node: HTMLElement;
  readonly outputArea?: {
    readonly widgets: readonly Part[];
    readonly model: { get(index: number): unknown };
  };
}

/** As much of a notebook as is needed. */
export interface Outputs {
  readonly content: { readonly node: HTMLElement; readonly widgets: readonly Cell[] };
  readonly disposed: ISignal<unknown, unknown>;
}

/** Look after the widgets of all notebooks; see `lookAgain`. */
export function findLostWidgets(notebooks: INotebookTracker): void {
  notebooks.forEach(lookAgain);
  notebooks.widgetAdded.connect((_, panel) => lookAgain(panel));
}

/**
 * Have a widget that was not found when its page was loaded looked for once more.
 *
 * ipywidgets looks for two seconds. On a busy machine a widget can come just when that is over, and
 * its place would say for good that there is none. By then all that the kernel has are there, so
 * once is enough.
 */
export function lookAgain(notebook: Outputs): void {
  const { node } = notebook.content;
  const tried = new WeakSet<Node>();
  const look = (place: Node) => {
    if (place.firstChild?.nodeValue === LOST && !tried.has(place)) {
      tried.add(place);
      renderAgain(notebook.content.widgets, place);
    }
  };
  const observer = new MutationObserver((changes) => {
    changes.forEach(({ target }) => look(target));
  });
  observer.observe(node, { childList: true, subtree: true });
  notebook.disposed.connect(() => observer.disconnect());
  node.querySelectorAll(".jp-OutputArea-output").forEach(look);
}

function renderAgain(cells: readonly Cell[], place: Node): void {
  const area = cells.find((cell) => cell.node.contains(place))?.outputArea;
  area?.widgets.forEach((child, index) => {
    const parts = [child, ...(child.widgets ?? [])];
    void parts.find((part) => part.node === place)?.renderModel?.(area.model.get(index));
  });
}
