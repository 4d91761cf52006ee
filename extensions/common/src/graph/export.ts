import { svg } from "../dom.js";

/** What of the style of the page goes along with a picture. */
const PROPERTIES = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
  "display",
];
const LARGEST_SIDE = 8_000; // pixels, which every browser draws
const SHARPNESS = 2;

/** A drawing as a file of its own, with the colours that it has on the page. */
export function standaloneSvg(
  drawing: SVGGElement,
  defs: SVGDefsElement,
  width: number,
  height: number,
  ground: string,
): string {
  const copy = drawing.cloneNode(true) as SVGGElement;
  copyStyles(drawing, copy);
  const copiedDefs = defs.cloneNode(true) as SVGDefsElement;
  copyStyles(defs, copiedDefs);
  const picture = svg(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` },
    svg("rect", { width, height, fill: ground }),
    copiedDefs,
    copy,
  );
  return new XMLSerializer().serializeToString(picture);
}

function copyStyles(from: Element, to: Element): void {
  const style = getComputedStyle(from);
  for (const name of PROPERTIES) {
    const value = style.getPropertyValue(name);
    if (value !== "") {
      to.setAttribute(name, value);
    }
  }
  for (const name of ["class", "tabindex", "role", "aria-label"]) {
    to.removeAttribute(name);
  }
  for (const [index, child] of [...from.children].entries()) {
    const twin = to.children[index];
    if (twin) {
      copyStyles(child, twin);
    }
  }
}

/** The same as pixels. */
export async function asPng(text: string, width: number, height: number): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const scale = Math.min(SHARPNESS, LARGEST_SIDE / Math.max(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.ceil(width * scale);
    canvas.height = Math.ceil(height * scale);
    const context = canvas.getContext("2d");
    if (!context) {
      throw new Error("this browser draws on no canvas");
    }
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise<Blob>((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("too large")))),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Have the browser save a file. */
export function save(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
