import assert from "node:assert/strict";
import { test } from "node:test";
import { matches, step } from "../../src/signalpost/django/static/signalpost/list.js";
import { Tally, inShort, milliseconds, type Row } from "../../src/signalpost/django/static/signalpost/live.js";

const anything = { text: "", app: "", connected: false, inner: true, seen: false };
const facts = { text: "blog.signals.Added from Comment", app: "blog", connected: false, inner: true, seen: false };
const row = (more: Partial<Row> = {}): Row => ({
  signal: "added", receiver: null, sender: null, place: null, cause: null,
  count: 1, failures: 0, waits: 0, total_ms: 2, last_ms: 2, changed: 1, ...more,
});

test("every word that was typed has to be there, in any case and order", () => {
  assert.ok(matches(facts, { ...anything, text: "COMMENT added" }));
  assert.ok(!matches(facts, { ...anything, text: "comment removed" }));
});

test("each filter hides what it isn't about", () => {
  assert.ok(matches(facts, anything));
  for (const filter of [{ app: "shop" }, { connected: true }, { seen: true }, { inner: false }]) {
    assert.ok(!matches(facts, { ...anything, ...filter }), JSON.stringify(filter));
  }
});

test("arrows stop at the ends of the list", () => {
  assert.deepEqual([step("ArrowDown", 2, 3), step("ArrowUp", 0, 3), step("Home", 2, 3), step("End", 0, 3)], [2, 0, 0, 2]);
  assert.equal(step("x", 1, 3), null);
});

test("rows that are told again replace what was known", () => {
  const tally = new Tally();
  tally.take({ run: "a", cursor: 1, rows: [row()] });
  tally.take({ run: "a", cursor: 3, rows: [row({ count: 3, total_ms: 9, last_ms: 4, changed: 3 })] });
  assert.deepEqual(tally.sum("signal added"), { count: 3, failures: 0, waits: 0, total_ms: 9, last_ms: 4 });
});

test("rows of several senders are added up, and the latest time counts", () => {
  const tally = new Tally();
  const rows = [row({ sender: "B", changed: 9, last_ms: 7, failures: 1 }), row({ sender: "A", changed: 2 })];
  tally.take({ run: "a", cursor: 9, rows });
  assert.deepEqual(tally.sum("signal added"), { count: 2, failures: 1, waits: 0, total_ms: 4, last_ms: 7 });
});

test("another run of the server begins anew", () => {
  const tally = new Tally();
  tally.take({ run: "a", cursor: 7, rows: [row()] });
  tally.take({ run: "b", cursor: 0, rows: [] });
  assert.deepEqual([tally.run, tally.cursor, tally.of("signal added")], ["b", 0, []]);
});

test("what it says is short", () => {
  assert.equal(inShort({ count: 2, failures: 1, waits: 0, total_ms: 3, last_ms: 1.25 }), "2× · 1.3 ms · 1 failed");
  assert.equal(inShort({ count: 1, failures: 0, waits: 3, total_ms: 3, last_ms: 1 }), "1× · 1.0 ms · 3 for the commit");
  assert.deepEqual([0.0123, 0.5, 12, 345].map(milliseconds), ["0.012 ms", "0.50 ms", "12.0 ms", "345 ms"]);
});
