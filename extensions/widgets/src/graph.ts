import { GraphView } from "@nebula-lab/common";
import { liveWidget } from "./live_widget.js";

export default liveWidget((host, live) => new GraphView(host, live));
