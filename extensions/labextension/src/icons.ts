import { LabIcon } from "@jupyterlab/ui-components";
import pluginsSvg from "../style/plugins.svg";

export const pluginsIcon = new LabIcon({ name: "nebula-lab:plugins", svgstr: pluginsSvg });
