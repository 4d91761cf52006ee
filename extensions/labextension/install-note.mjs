// Leaves the note by which JupyterLab says where the extension came from, and how to remove it.
import { writeFileSync } from "node:fs";

const note = {
  packageManager: "python",
  packageName: "nebula-lab",
  uninstallInstructions: "Remove the Python package nebula-lab, such as by pip uninstall nebula-lab.",
};
const target = new URL("../../nebula_lab/labextension/install.json", import.meta.url);
writeFileSync(target, `${JSON.stringify(note, null, 2)}\n`);
