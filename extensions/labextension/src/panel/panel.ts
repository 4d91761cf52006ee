import type { ITranslator } from "@jupyterlab/translation";
import { SidePanel } from "@jupyterlab/ui-components";
import type { Message } from "@lumino/messaging";
import { AccordionPanel } from "@lumino/widgets";
import { pluginsIcon } from "../icons.js";
import { PANEL_ID } from "../ids.js";
import type { Standing } from "../kernel/link.js";
import type { Model } from "../model.js";
import { PluginsSection } from "../plugins/list.js";
import type { SectionName, Settings } from "../settings.js";
import { SECTION_NAMES } from "../settings.js";
import { GraphSection } from "./graph.js";
import { Header } from "./header.js";
import { LogsSection } from "./logs.js";
import { ProblemsSection } from "./problems.js";
import { SamplesSection } from "./samples.js";
import type { Section } from "./section.js";

/** What was known of a kernel stays in sight, dimmed, while it can be expected back. */
const PASSING: ReadonlySet<Standing> = new Set(["connecting", "waiting", "restarting", "silent"]);
/** Of the plugins, and of the sections below them. */
const FIRST_SIZES = [4, 2, 2, 3, 3];
const FIRST_OPEN: ReadonlySet<SectionName> = new Set(["samples"]);

export interface PanelOptions {
  readonly model: Model;
  readonly settings: Settings;
  readonly translator: ITranslator;
  /** Put code into the document in front. */
  readonly insert: (code: string) => void;
}

/** The panel in the sidebar. */
export class PluginsPanel extends SidePanel {
  readonly plugins: PluginsSection;

  constructor(private readonly options: PanelOptions) {
    super({ translator: options.translator });
    const { model, settings } = options;
    const { trans } = model;
    this.id = PANEL_ID;
    this.addClass("nl-side");
    this.addClass("nl-root");
    this.title.icon = pluginsIcon;
    this.title.caption = trans.__("Plugins of the notebook");
    this.node.setAttribute("role", "region");
    this.node.setAttribute("aria-label", trans.__("Plugins"));
    this.head = new Header(model);
    this.header.addWidget(this.head);
    this.plugins = new PluginsSection(model, settings, (id) => this.showLogs(id));
    this.logs = new LogsSection(model);
    this.sections = {
      samples: new SamplesSection(model, settings, options.insert),
      problems: new ProblemsSection(model),
      graph: new GraphSection(model),
      logs: this.logs,
    };
    this.addWidget(this.plugins);
    this.arrange();
    this.accordion.setRelativeSizes(FIRST_SIZES);
    settings.changed.connect(this.arrange, this);
    model.changed.listen(() => this.refresh());
    this.refresh();
  }

  /** Load nebula_lab or reconnect, whichever the panel offers. */
  heal(): void {
    this.head.heal();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.options.model.isSeen = true;
    // JupyterLab 4.4 takes the sections of a panel that was not in front for folded.
    if (this.widgets.every((section) => section.isHidden)) {
      this.accordion.expand(0);
    }
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.options.model.isSeen = this.isVisible;
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.options.model.isSeen = false;
  }

  protected override onBeforeDetach(message: Message): void {
    this.options.model.isSeen = false;
    super.onBeforeDetach(message);
  }

  /** The next time that it is brought to the front, let the user type what to show. */
  beginInFilter(): void {
    this.isFilterWanted = true;
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    if (this.isFilterWanted) {
      this.isFilterWanted = false;
      return this.plugins.focusFilter();
    }
    const first = this.node.querySelector<HTMLElement>(
      ".nl-side-cure:not([hidden]), .nl-side-row[tabindex='0'], .nl-side-filter",
    );
    (first ?? this.node).focus();
  }

  private showLogs(id: string): void {
    const index = this.widgets.indexOf(this.logs);
    if (index !== -1) {
      this.accordion.expand(index);
      this.logs.showPlugin(id);
      this.logs.node.focus();
    }
  }

  /** Show the sections that the user wants, in their order. */
  private arrange(): void {
    const { sections } = this.options.settings.choices;
    for (const name of SECTION_NAMES) {
      const section = this.sections[name];
      const isThere = this.widgets.includes(section);
      if (sections[name] && !isThere) {
        this.addWidget(section);
        const index = this.widgets.indexOf(section);
        if (!FIRST_OPEN.has(name)) {
          this.accordion.collapse(index);
        }
      } else if (!sections[name] && isThere) {
        section.parent = null;
      }
    }
    this.labelTitles();
  }

  /** The accordion's titles act as buttons, and are called headings. */
  private labelTitles(): void {
    this.accordion.titles.forEach((title, index) => {
      title.setAttribute("role", "button");
      title.setAttribute("aria-controls", this.widgets[index]?.id ?? "");
    });
  }

  private refresh(): void {
    const { talk } = this.options.model;
    const standing = talk?.link.standing;
    const isOpen = standing === "open" && talk?.live.client.speaksAnother !== true;
    const isKept =
      standing !== undefined && PASSING.has(standing) && talk?.live.store.isFilled === true;
    // Not by `setHidden`: JupyterLab would remember every section as folded, and fold it next time.
    this.content.node.classList.toggle("nl-side-closed", !isOpen && !isKept);
    this.content.node.classList.toggle("nl-side-stale", isKept);
    this.content.node.inert = !isOpen;
  }

  private get accordion(): AccordionPanel {
    return this.content as AccordionPanel;
  }

  private isFilterWanted = false;
  private readonly head: Header;
  private readonly logs: LogsSection;
  private readonly sections: Readonly<Record<SectionName, Section>>;
}
