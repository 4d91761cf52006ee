export * from "./connection.js";
export * from "./signal.js";
export type * from "./wire.js";
export { PROTOCOL } from "./wire.js";
