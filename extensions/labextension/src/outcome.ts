import { Notification } from "@jupyterlab/apputils";
import type { AnyAnswer, Trans } from "@nebula-lab/common";
import { RequestError } from "@nebula-lab/common";

/** What a notification holds; the rest is in the panel. */
const LONGEST = 500;

/** Tell what has become of a request that was made away from the panel. */
export async function tellOutcome(request: Promise<AnyAnswer>, trans: Trans): Promise<void> {
  try {
    const answer = await request;
    if (answer.kind === "done") {
      Notification.success(short(answer.text), { autoClose: 3_000 });
    }
  } catch (error) {
    const said =
      error instanceof RequestError
        ? [error.failure.message, error.failure.hint].filter((text) => text !== "").join("\n")
        : String(error);
    Notification.error(short(said) || trans.__("It failed."), { autoClose: 8_000 });
  }
}

function short(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
