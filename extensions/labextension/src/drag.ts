import { MimeData } from "@lumino/coreutils";
import { Drag } from "@lumino/dragdrop";

/** What a notebook takes between its cells. */
const CELLS = "application/vnd.jupyter.cells";
/** How far a press has to go to be no click. */
const DISTANCE = 5;

/** Let code be dragged from an element into a notebook, as a cell of its own. */
export function makeDraggable(handle: HTMLElement, code: () => string): void {
  handle.addEventListener("pointerdown", press => {
    if (press.button !== 0) {
      return;
    }
    const end = new AbortController();
    const options = { signal: end.signal };
    document.addEventListener("pointerup", () => end.abort(), options);
    document.addEventListener("pointercancel", () => end.abort(), options);
    document.addEventListener(
      "pointermove",
      move => {
        if (Math.hypot(move.clientX - press.clientX, move.clientY - press.clientY) > DISTANCE) {
          end.abort();
          void startDrag(handle, code(), move);
        }
      },
      options
    );
  });
}

async function startDrag(source: HTMLElement, code: string, at: PointerEvent): Promise<void> {
  const mimeData = new MimeData();
  const cell = { cell_type: "code", source: code, metadata: {}, outputs: [], execution_count: null };
  mimeData.setData(CELLS, [cell]);
  mimeData.setData("text/plain", code);
  const drag = new Drag({
    mimeData,
    dragImage: picture(code),
    supportedActions: "copy-move",
    proposedAction: "copy",
    source
  });
  await drag.start(at.clientX, at.clientY);
  drag.dispose();
}

function picture(code: string): HTMLElement {
  const node = document.createElement("div");
  node.className = "nl-drag-image";
  node.textContent = code.length > 60 ? `${code.slice(0, 59)}…` : code;
  return node;
}
