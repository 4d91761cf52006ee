import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Client, QUEUED_AFTER, RequestError } from "./client.js";
import { ScriptedConnection } from "./testing.js";
import { PROTOCOL } from "./wire.js";

let connection: ScriptedConnection;
let client: Client;

beforeEach(() => {
  vi.useFakeTimers();
  connection = new ScriptedConnection();
  client = new Client(connection);
});

afterEach(() => {
  client.dispose();
  vi.useRealTimers();
});

test("it greets the kernel at once", () => {
  expect(connection.sent).toEqual([{ type: "hello", protocol: PROTOCOL }]);
});

test("an answer goes to whoever asked", async () => {
  const first = client.ask({ type: "problems" });
  const second = client.ask({ type: "load", plugin: "a" });
  connection.receive({ type: "answer", id: second.number, answer: { kind: "done", text: "yes" } });
  connection.receive({
    type: "answer",
    id: first.number,
    answer: { kind: "problems", problems: [], leftOut: 0 },
  });
  expect(await second.answer).toEqual({ kind: "done", text: "yes" });
  expect((await first.answer).kind).toBe("problems");
});

test("a failure is an error with all that was told", async () => {
  const { answer, number } = client.ask({ type: "load", plugin: "a" });
  connection.receive({
    type: "failure",
    id: number,
    error: "LoadFailedError",
    message: "no",
    hint: "try",
    details: "d",
  });
  const error = await answer.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RequestError);
  expect((error as RequestError).failure.hint).toBe("try");
});

test("a request without a sign of arrival is called queued, until it has arrived", () => {
  const statuses: string[] = [];
  client.statusChanged.listen((status) => statuses.push(status));
  const { number } = client.ask({ type: "load", plugin: "a" });
  vi.advanceTimersByTime(QUEUED_AFTER - 1);
  expect(client.status).toBe("live");
  vi.advanceTimersByTime(1);
  expect(client.status).toBe("queued");
  connection.receive({ type: "accepted", id: number });
  expect(statuses).toEqual(["queued", "live"]);
});

test("a request that is under way for long is not called queued", () => {
  const { number } = client.ask({ type: "load", plugin: "a" });
  connection.receive({ type: "welcome", protocol: PROTOCOL, version: "1", direct: true });
  connection.receive({ type: "accepted", id: number });
  vi.advanceTimersByTime(60_000);
  expect(client.status).toBe("live");
});

test("what was asked for fails when the kernel goes", async () => {
  const { answer } = client.ask({ type: "load", plugin: "a" });
  connection.status = "closed";
  await expect(answer).rejects.toThrow("not there any more");
  await expect(client.ask({ type: "load", plugin: "a" }).answer).rejects.toThrow();
});

test("a kernel that is back is greeted and told what is watched", () => {
  client.watch({ topics: ["plugins"] });
  connection.receive({ type: "welcome", protocol: PROTOCOL, version: "1", direct: true });
  connection.status = "closed";
  connection.sent.length = 0;
  connection.status = "live";
  expect(connection.sent.map((message) => message.type)).toEqual(["hello", "watch"]);
});

test("a greeting that waits for a cell is sent again, with what is watched, but not for ever", () => {
  client.watch({ topics: ["plugins"] });
  connection.sent.length = 0;
  vi.advanceTimersByTime(1_500);
  expect(connection.sent.map((message) => message.type)).toEqual(["hello", "watch"]);
  expect(client.status).toBe("queued");
  vi.advanceTimersByTime(600_000);
  expect(connection.of("hello")).toHaveLength(2);
});

test("a kernel that has answered is greeted once", () => {
  connection.receive({ type: "welcome", protocol: PROTOCOL, version: "1", direct: true });
  vi.advanceTimersByTime(600_000);
  expect(connection.of("hello")).toHaveLength(1);
});

test("what is watched is said again when the kernel has read the greeting, and is in order", () => {
  client.watch({ topics: [] });
  client.watch({ topics: ["plugins"] });
  connection.sent.length = 0;
  connection.receive({ type: "welcome", protocol: PROTOCOL, version: "1", direct: true });
  expect(connection.sent).toEqual([{ type: "watch", topics: ["plugins"], serial: 2 }]);
});

test("a kernel of another protocol is not talked to", () => {
  connection.receive({ type: "welcome", protocol: PROTOCOL + 1, version: "9", direct: true });
  expect(client.speaksAnother).toBe(true);
  expect(client.status).toBe("closed");
});

test("only a view that shows something says that it is there", () => {
  client.watch({ topics: ["plugins"] });
  vi.advanceTimersByTime(25_000);
  expect(connection.of("beat")).toHaveLength(2);
  client.watch({ topics: [] });
  vi.advanceTimersByTime(60_000);
  expect(connection.of("beat")).toHaveLength(2);
});

test("what asked when the other side left fails at once, and it is back when it greets", async () => {
  const { answer } = client.ask({ type: "load", plugin: "a" });
  connection.receive({ type: "farewell" });
  await expect(answer).rejects.toThrow("not there any more");
  expect([client.status, client.loss]).toEqual(["closed", "left"]);
  connection.receive({ type: "welcome", protocol: PROTOCOL, version: "1", direct: true });
  expect([client.status, client.loss, client.isDirect]).toEqual(["live", undefined, true]);
});
