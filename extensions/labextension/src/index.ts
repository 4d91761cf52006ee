import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ILayoutRestorer } from "@jupyterlab/application";
import { ICommandPalette } from "@jupyterlab/apputils";
import { IConsoleTracker } from "@jupyterlab/console";
import { INotebookTracker } from "@jupyterlab/notebook";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { IStatusBar } from "@jupyterlab/statusbar";
import { ITranslator, nullTranslator } from "@jupyterlab/translation";
import { addCommands } from "./commands.js";
import { FollowedDocument } from "./followed.js";
import { CommandIDs, PANEL_ID, PLUGIN_ID, STATUS_ID, TRANSLATION_DOMAIN } from "./ids.js";
import { insertCode } from "./insert.js";
import { findLostWidgets } from "./lost_widgets.js";
import { Model } from "./model.js";
import { PluginsPanel } from "./panel/panel.js";
import { addPanel } from "./placement.js";
import { Settings } from "./settings.js";
import { StatusItem } from "./status_item.js";

const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: "Watch and steer plugins beside a notebook.",
  autoStart: true,
  requires: [INotebookTracker],
  optional: [
    IConsoleTracker,
    ITranslator,
    ISettingRegistry,
    ILayoutRestorer,
    ICommandPalette,
    IStatusBar,
  ],
  activate,
};

export default plugin;

async function activate(
  app: JupyterFrontEnd,
  notebooks: INotebookTracker,
  consoles: IConsoleTracker | null,
  translator: ITranslator | null,
  registry: ISettingRegistry | null,
  restorer: ILayoutRestorer | null,
  palette: ICommandPalette | null,
  statusBar: IStatusBar | null,
): Promise<void> {
  findLostWidgets(notebooks);
  const words = translator ?? nullTranslator;
  const settings = new Settings();
  const followed = new FollowedDocument(app.shell, notebooks, consoles);
  const model = new Model(followed, settings, words.load(TRANSLATION_DOMAIN));
  const insert = (code: string) => {
    if (model.document !== null) {
      insertCode(model.document, code);
    }
  };
  const panel = new PluginsPanel({ model, settings, translator: words, insert });
  restorer?.add(panel, PANEL_ID);
  addCommands({ app, model, panel, insert: (sample) => insert(settings.written(sample)) }, palette);
  if (statusBar !== null) {
    addStatusItem(statusBar, new StatusItem(model, settings, () => show(app)));
  }
  await settings.load(registry);
  addPanel(app, panel, settings);
}

function show(app: JupyterFrontEnd): void {
  void app.commands.execute(CommandIDs.show);
}

function addStatusItem(statusBar: IStatusBar, item: StatusItem): void {
  statusBar.registerStatusItem(STATUS_ID, {
    item,
    align: "left",
    rank: 10,
    isActive: () => item.isActive,
    activeStateChanged: item.activeChanged,
  });
}
