import { NotebookActions, NotebookPanel } from "@jupyterlab/notebook";
import type { Document } from "./followed.js";

/**
 * Put code into a document where its user goes on: a cell below the active one, which becomes the
 * active one; the active one itself if it is empty; the prompt of a console.
 */
export function insertCode(document: Document, code: string): void {
  if (!(document instanceof NotebookPanel)) {
    document.console.promptCell?.model.sharedModel.setSource(code);
    document.console.node.focus();
    return;
  }
  const notebook = document.content;
  const active = notebook.activeCell;
  const isBlank =
    active?.model.type === "code" && active.model.sharedModel.getSource().trim() === "";
  if (!isBlank) {
    NotebookActions.insertBelow(notebook);
  }
  notebook.activeCell?.model.sharedModel.setSource(code);
  void NotebookActions.focusActiveCell(notebook, { waitUntilReady: true });
}
