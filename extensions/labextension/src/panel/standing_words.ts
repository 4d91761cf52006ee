import type { Trans } from "@nebula-lab/common";
import type { Standing } from "../kernel/link.js";

/** What the user can do about how we stand with a kernel. */
export type Cure = "load" | "reconnect" | null;

export interface Notice {
  readonly text: string;
  readonly cure: Cure;
}

type Words = (trans: Trans) => Notice;

const NOTICES: Readonly<Record<Exclude<Standing, "open">, Words>> = {
  connecting: (trans) => ({ text: trans.__("Connecting to the kernel …"), cure: null }),
  waiting: (trans) => ({
    text: trans.__("The kernel is busy. The panel connects when the cell that runs has ended."),
    cure: null,
  }),
  foreign: (trans) => ({
    text: trans.__("This kernel does not run Python, and so has no plugins of nebula_lab."),
    cure: null,
  }),
  missing: (trans) => ({
    text: trans.__(
      "nebula_lab is not installed in this kernel's environment. " +
        "Run %pip install nebula-lab there, then restart the kernel.",
    ),
    cure: "reconnect",
  }),
  unloaded: (trans) => ({ text: trans.__("This kernel has not loaded nebula_lab."), cure: "load" }),
  loading: (trans) => ({
    text: trans.__("Loading nebula_lab; if a cell runs, when it has ended …"),
    cure: null,
  }),
  silent: (trans) => ({ text: trans.__("The kernel does not answer."), cure: "reconnect" }),
  restarting: (trans) => ({ text: trans.__("The kernel restarts …"), cure: null }),
  dead: (trans) => ({
    text: trans.__("The kernel has ended. Its plugins ended with it."),
    cure: null,
  }),
};

/** What to say of a kernel that we do not talk to. */
export function noticeOf(standing: Exclude<Standing, "open">, trans: Trans): Notice {
  return NOTICES[standing](trans);
}
