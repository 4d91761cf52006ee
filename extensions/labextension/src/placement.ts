import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { PluginsPanel } from "./panel/panel.js";
import type { Placement, Settings } from "./settings.js";

/** Below what JupyterLab itself has there. */
const RANK = 550;

/** Put the panel where the user wants it, now and after each change of mind. */
export function addPanel(app: JupyterFrontEnd, panel: PluginsPanel, settings: Settings): void {
  let placed: Placement | null = null;
  const place = () => {
    const { placement } = settings.choices;
    if (placement !== placed) {
      const wasSeen = panel.isVisible;
      placed = placement;
      app.shell.add(panel, placement, { rank: RANK, type: "Plugins" });
      if (wasSeen) {
        app.shell.activateById(panel.id);
      }
    }
  };
  settings.changed.connect(place);
  place();
}
