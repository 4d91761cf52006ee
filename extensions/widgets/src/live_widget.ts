import type { AnyWidget } from "@anywidget/types";
import { Live } from "@nebula-lab/common";
import { ModelConnection } from "./model_connection.js";

interface View {
  dispose(): void;
}

/** A widget with one connection for all the places where it is shown. */
export function liveWidget(makeView: (host: HTMLElement, live: Live) => View): AnyWidget {
  return () => {
    let live: Live | undefined;
    return {
      initialize({ model }) {
        const connection = new ModelConnection(model);
        const made = new Live(connection);
        live = made;
        return () => {
          made.dispose();
          connection.dispose();
        };
      },
      render({ el }) {
        if (!live) {
          throw new Error("initialize has not run");
        }
        const host = document.createElement("div");
        el.append(host);
        const view = makeView(host, live);
        return () => view.dispose();
      },
    };
  };
}
