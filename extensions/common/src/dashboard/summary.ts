import type { Trans } from "../trans.js";
import type { Totals } from "../wire.js";

/** Such as `20 plugins · 18 serving · 1 failed`. */
export function summaryOf({ plugins, serving, failed, errors }: Totals, trans: Trans): string {
  const parts = [
    plugins === 1 ? trans.__("1 plugin") : trans.__("%1 plugins", plugins),
    trans.__("%1 serving", serving),
  ];
  if (failed > 0) {
    parts.push(trans.__("%1 failed", failed));
  }
  if (errors > 0) {
    parts.push(trans.__("%1 left out or wrong", errors));
  }
  return parts.join(" · ");
}
