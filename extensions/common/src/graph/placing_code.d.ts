import type { Part, PlacedPart } from "./placing.js";

/** Everything of `placing.ts` in one function that refers to nothing outside itself. */
export function placingCode(): { placePart(part: Part): PlacedPart };
