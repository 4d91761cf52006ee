import type { Watch } from "./wire.js";

export type Topic = Watch["topics"][number];
