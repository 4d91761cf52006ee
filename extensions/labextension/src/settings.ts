import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import type { SampleRow } from "@nebula-lab/common";
import { Signal } from "@lumino/signaling";
import type { ISignal } from "@lumino/signaling";
import { PLUGIN_ID } from "./ids.js";

export type Placement = "left" | "right";
export type InsertAs = "python" | "magic";
export type SectionName = "samples" | "problems" | "graph" | "logs";
export const SECTION_NAMES: ReadonlyArray<SectionName> = ["samples", "problems", "graph", "logs"];

/** What the user has chosen; the fields are those of `schema/plugin.json`. */
export interface Choices {
  readonly placement: Placement;
  readonly interval: number;
  readonly sections: Readonly<Record<SectionName, boolean>>;
  readonly insertAs: InsertAs;
  readonly sparklines: boolean;
  readonly statusBar: boolean;
}

export const DEFAULTS: Choices = {
  placement: "left",
  interval: 0.5,
  sections: { samples: true, problems: true, graph: true, logs: true },
  insertAs: "python",
  sparklines: true,
  statusBar: true
};

/** The user"s choices, and word of changes; the defaults where there are no settings. */
export class Settings {
  get choices(): Choices {
    return this._choices;
  }

  get changed(): ISignal<this, Choices> {
    return this._changed;
  }

  /** A call as the user wants it written. */
  written(sample: SampleRow): string {
    return this._choices.insertAs === "magic" ? sample.magic : sample.code;
  }

  /** Read them, where there are any, and follow them from now on. */
  async load(registry: ISettingRegistry | null): Promise<void> {
    const settings = await registry?.load(PLUGIN_ID).catch((error: unknown) => {
      console.warn("nebula_lab: settings can't be read, so the defaults hold.", error);
    });
    if (!settings) {
      return;
    }
    const take = () => {
      this._choices = chosen(settings.composite);
      this._changed.emit(this._choices);
    };
    settings.changed.connect(take);
    take();
  }

  private _choices = DEFAULTS;
  private readonly _changed = new Signal<this, Choices>(this);
}

/** Choices from a composite that the schema has been held against. */
export function chosen(composite: Readonly<Record<string, unknown>>): Choices {
  const sections = composite["sections"];
  const given = Object.fromEntries(
    Object.entries(composite).filter(([key, value]) => key in DEFAULTS && value !== undefined)
  ) as Partial<Choices>;
  return {
    ...DEFAULTS,
    ...given,
    sections: { ...DEFAULTS.sections, ...(sections as Partial<Choices["sections"]>) }
  };
}
