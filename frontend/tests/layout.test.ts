import assert from "node:assert/strict";
import { test } from "node:test";
import { apart, columns, shelves, together } from "../src/layout";

test("frames that overlap are moved down, others stay", () => {
  const moved = apart(
    [
      { id: "low", x1: 0, x2: 10, y1: 5, y2: 15 },
      { id: "top", x1: 0, x2: 10, y1: 0, y2: 10 },
      { id: "aside", x1: 50, x2: 60, y1: 0, y2: 10 },
    ],
    4,
  );
  assert.deepEqual(Object.fromEntries(moved), { top: 0, aside: 0, low: 9 });
});

test("apps that are linked stay together", () => {
  const group = together(["a", "b", "c", "d"], [["a", "b"], ["b", "c"], ["x", "a"]]);
  assert.equal(new Set(["a", "b", "c"].map((app) => group.get(app))).size, 1);
  assert.equal(group.get("d"), "d");
});

test("shelves are filled to about the wanted proportion", () => {
  const blocks = Array.from({ length: 16 }, (_, at) => ({ id: `${at}`, width: 90, height: 90 }));
  const corners = [...shelves(blocks, 10, 1).values()];
  assert.equal(new Set(corners.map(({ x }) => x)).size, 4);
  assert.equal(new Set(corners.map(({ y }) => y)).size, 4);
});

test("a thousand signals get places of their own, at once", () => {
  const boxes = Array.from({ length: 40 }, (_, app) => ({
    id: `app ${app}`,
    signals: Array.from({ length: 25 }, (_, at) => ({ id: `s ${app} ${at}`, width: 120 })),
    receivers: Array.from({ length: 50 }, (_, at) => ({ id: `r ${app} ${at}`, width: 150 })),
  }));
  const began = performance.now();
  const places = columns(boxes);
  assert.ok(performance.now() - began < 500);
  assert.equal(places.size, 3_000);
  assert.equal(new Set([...places.values()].map(({ x, y }) => `${x} ${y}`)).size, 3_000);
});
