import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { ICommandPalette } from "@jupyterlab/apputils";
import { InputDialog } from "@jupyterlab/apputils";
import type { Action, ActionName, SampleRow } from "@nebula-lab/common";
import { ACTIONS, askFor } from "@nebula-lab/common";
import type { ReadonlyJSONObject } from "@lumino/coreutils";
import { pluginsIcon } from "./icons.js";
import { CommandIDs } from "./ids.js";
import type { ViewName } from "./main_area.js";
import { openView } from "./main_area.js";
import type { Model } from "./model.js";
import type { PluginsPanel } from "./panel/panel.js";
import { tellOutcome } from "./outcome.js";

export interface Parts {
  readonly app: JupyterFrontEnd;
  readonly model: Model;
  readonly panel: PluginsPanel;
  /** Put code into the document in front. */
  readonly insert: (sample: SampleRow) => void;
}

const NO_ARGUMENTS = { args: { type: "object", properties: {}, additionalProperties: false } };

/** Register what can be done without a mouse, from menus, shortcuts and other extensions. */
export function addCommands(parts: Parts, palette: ICommandPalette | null): void {
  addPanelCommands(parts);
  addViewCommand(parts, CommandIDs.dashboard, "dashboard");
  addViewCommand(parts, CommandIDs.graph, "graph");
  ACTIONS.forEach((action) => addActionCommand(parts, action));
  addInsertCommand(parts);
  const category = parts.model.trans.__("Plugins");
  const actions = ACTIONS.map((action) => actionCommand(action.name));
  for (const command of [...Object.values(CommandIDs), ...actions]) {
    palette?.addItem({ command, category });
  }
}

/** The command palette gives the focus back to the notebook in the frames after it has closed. */
const FRAMES_OF_PALETTE = 4;

function afterFrames(count: number, act: () => void): void {
  requestAnimationFrame(() => (count > 1 ? afterFrames(count - 1, act) : act()));
}

/** The command for an action; `plugin` in its arguments says of which, else the user is asked. */
export function actionCommand(name: ActionName): string {
  return `nebula-lab:${name}`;
}

function addPanelCommands({ app, model, panel }: Parts): void {
  const { trans } = model;
  const show = () => app.shell.activateById(panel.id);
  app.commands.addCommand(CommandIDs.show, {
    label: trans.__("Show Plugins"),
    caption: trans.__("Show the plugins of the notebook in the sidebar"),
    icon: pluginsIcon,
    describedBy: NO_ARGUMENTS,
    execute: show,
  });
  app.commands.addCommand(CommandIDs.filter, {
    label: trans.__("Filter Plugins"),
    describedBy: NO_ARGUMENTS,
    execute: () => {
      panel.beginInFilter();
      show();
      afterFrames(FRAMES_OF_PALETTE, () => {
        panel.beginInFilter();
        show();
      });
    },
  });
  app.commands.addCommand(CommandIDs.load, {
    label: trans.__("Load nebula_lab in the Kernel"),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => model.talk?.link.standing === "unloaded",
    execute: () => model.talk?.link.load(),
  });
  app.commands.addCommand(CommandIDs.reconnect, {
    label: trans.__("Reconnect the Plugins Panel"),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => model.talk !== null,
    execute: () => model.talk?.link.connect(),
  });
}

function addViewCommand({ app, model }: Parts, command: string, name: ViewName): void {
  const { trans } = model;
  const labels = {
    dashboard: trans.__("Open the Plugins' Dashboard in a Tab"),
    graph: trans.__("Open the Plugins' Graph in a Tab"),
  };
  app.commands.addCommand(command, {
    label: labels[name],
    describedBy: NO_ARGUMENTS,
    isEnabled: () => isOpen(model),
    execute: () => {
      if (model.talk !== null) {
        openView(app, model, model.talk, name);
      }
    },
  });
}

function addActionCommand({ app, model }: Parts, action: Action): void {
  const { trans } = model;
  app.commands.addCommand(actionCommand(action.name), {
    label: trans.__("%1 a Plugin", action.label(trans)),
    caption: action.explain(trans),
    describedBy: {
      args: {
        type: "object",
        properties: { plugin: { type: "string", description: trans.__("The plugin's id") } },
        additionalProperties: false,
      },
    },
    isEnabled: () => isOpen(model),
    execute: async (args) => {
      const plugin = pluginOf(args) ?? (await choosePlugin(model, action));
      if (plugin !== null) {
        await tellOutcome(model.ask(askFor(action.name, plugin)), model.trans);
      }
    },
  });
}

function addInsertCommand({ app, model, insert }: Parts): void {
  const { trans } = model;
  app.commands.addCommand(CommandIDs.insert, {
    label: trans.__("Insert a Call of a Plugin"),
    describedBy: NO_ARGUMENTS,
    isEnabled: () => isOpen(model),
    execute: async () => {
      const answer = await model.ask({ type: "samples" });
      const samples = answer.kind === "samples" ? answer.samples : [];
      const chosen = await InputDialog.getItem({
        title: trans.__("Insert a call"),
        items: samples.map((sample) => sample.code),
        okLabel: trans.__("Insert"),
      });
      const sample = samples.find((one) => one.code === chosen.value);
      if (sample !== undefined) {
        insert(sample);
      }
    },
  });
}

async function choosePlugin(model: Model, action: Action): Promise<string | null> {
  const { trans } = model;
  const rows = [...(model.talk?.live.store.rows.values() ?? [])];
  const items = rows.filter((row) => action.states.has(row.state)).map((row) => row.id);
  const chosen = await InputDialog.getItem({
    title: trans.__("%1 a plugin", action.label(trans)),
    items: items.sort(),
    okLabel: action.label(trans),
  });
  return chosen.value || null; // "" where there is none to choose
}

function pluginOf(args: ReadonlyJSONObject | Readonly<Record<string, unknown>>): string | null {
  const { plugin } = args as { plugin?: unknown };
  return typeof plugin === "string" ? plugin : null;
}

function isOpen(model: Model): boolean {
  return model.talk?.link.standing === "open";
}
