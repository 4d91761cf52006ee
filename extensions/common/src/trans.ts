/** Translates what we say; JupyterLab's `TranslationBundle` is one. `%1` stands for an argument. */
export interface Trans {
  __(text: string, ...args: (string | number)[]): string;
}

export const ENGLISH: Trans = {
  __: (text, ...args) =>
    text.replace(/%(\d)/g, (whole, digit: string) => String(args[Number(digit) - 1] ?? whole)),
};
