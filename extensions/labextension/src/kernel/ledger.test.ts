// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { Ledger } from "./ledger.js";

beforeEach(() => window.localStorage.clear());

/** Locks as a browser's, of which a page's is released when the page is gone. */
class Locks {
  readonly held = new Set<string>();

  request(name: string): Promise<void> {
    this.held.add(name);
    return new Promise(() => undefined);
  }

  query() {
    return Promise.resolve({ held: [...this.held].map((name) => ({ name })) });
  }
}

function ledger(page: string, locks: Locks): Ledger {
  return new Ledger(page, window.localStorage, locks as unknown as LockManager);
}

test("a subshell of a page that is gone is abandoned, and of one that lives is not", async () => {
  const locks = new Locks();
  ledger("first", locks).note("kernel", "one");
  ledger("second", locks).note("kernel", "two");
  const third = ledger("third", locks);
  expect(await third.abandoned("kernel", new Set())).toEqual([]);
  locks.held.delete("nebula-lab:page:first");
  expect(await third.abandoned("kernel", new Set())).toEqual(["one"]);
});

test("of the page's own, those that are not used any more are abandoned", async () => {
  const own = ledger("page", new Locks());
  own.note("kernel", "used");
  own.note("kernel", "left");
  own.note("other", "elsewhere");
  expect(await own.abandoned("kernel", new Set(["used"]))).toEqual(["left"]);
});

test("one that was given back is forgotten", async () => {
  const own = ledger("page", new Locks());
  own.note("kernel", "left");
  own.strike("kernel", "left");
  expect(await own.abandoned("kernel", new Set())).toEqual([]);
});
