type Step = (index: number, count: number) => number;

const STEPS: Readonly<Record<string, Step>> = {
  ArrowDown: (index, count) => Math.min(index + 1, count - 1),
  ArrowUp: (index) => Math.max(index - 1, 0),
  Home: () => 0,
  End: (_, count) => count - 1,
};

/** Move the focus among the items of a list by the arrow keys, Home and End. */
export function moveFocus(event: KeyboardEvent, items: ReadonlyArray<HTMLElement>): void {
  const step = STEPS[event.key];
  const index = items.findIndex((item) => item === event.target);
  if (step === undefined || index === -1) {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
  items[step(index, items.length)]?.focus();
}
