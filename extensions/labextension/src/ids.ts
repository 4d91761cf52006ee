/** Names by which the rest of the application, settings files and tests know our parts. */

export const PLUGIN_ID = "nebula-lab:plugin";
export const PANEL_ID = "nebula-lab-sidebar";
export const STATUS_ID = "nebula-lab:status";
export const TRANSLATION_DOMAIN = "nebula_lab";
/** The comm target that the kernel registers when nebula_lab is loaded. */
export const COMM_TARGET = "nebula_lab";
/** The target of the comm that is open in a kernel as long as nebula_lab is loaded there. */
export const LOADED_TARGET = "nebula_lab.loaded";

export const CommandIDs = {
  show: "nebula-lab:show",
  load: "nebula-lab:load-extension",
  dashboard: "nebula-lab:open-dashboard",
  graph: "nebula-lab:open-graph",
  reconnect: "nebula-lab:reconnect",
  filter: "nebula-lab:filter",
  insert: "nebula-lab:insert-sample"
} as const;
