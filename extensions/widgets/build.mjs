// Bundles each widget into one file without imports, for anywidget: build.mjs [--watch]
import { context } from "esbuild";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const bundling = await context({
  entryPoints: ["dashboard.ts", "graph.ts", "widgets.css"].map((name) => here(`src/${name}`)),
  outdir: here("../../nebula_lab/notebook/static"),
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "none",
  logLevel: "warning",
});
if (process.argv.includes("--watch")) {
  await bundling.watch();
} else {
  await bundling.rebuild();
  await bundling.dispose();
}
