import assert from "node:assert/strict";
import { test } from "node:test";
import { elements, label, type Shown, type Wiring } from "../src/elements";
import { appsOf, lit } from "../src/firing";

const receiver = (name: string, app: string, more = {}) => ({ name, app, sender: null, delivery: "now", ...more });
const wiring: Wiring = {
  signals: [
    {
      name: "shop.signals.paid", app: "shop",
      receivers: [
        receiver("shop.receivers.ship", "shop", { delivery: "on commit" }),
        receiver("mail.receivers.send_receipt", "mail", { sender: "shop.models.Order" }),
        receiver("mail.receivers.send_receipt", "mail", { sender: "shop.models.Gift" }),
      ],
    },
    { name: "shop.signals.quiet", app: "shop", receivers: [] },
  ],
};
const all: Shown = { has: () => true, isOpen: () => true };
const ids = (shown: Shown) => elements(wiring, shown).map((each) => each.data.id);

test("apps hold their signals and receivers", () => {
  const found = elements(wiring, all);
  const parents = Object.fromEntries(found.flatMap(({ data }) => (data["parent"] ? [[data.id, data["parent"]]] : [])));
  assert.deepEqual(parents, {
    "signal shop.signals.paid": "app shop",
    "receiver shop.receivers.ship": "app shop",
    "receiver mail.receivers.send_receipt": "app mail",
    "signal shop.signals.quiet": "app shop",
  });
});

test("several connections are one line, with their senders", () => {
  const lines = elements(wiring, all).filter(({ data }) => data["source"]);
  assert.deepEqual(
    lines.map(({ data, classes }) => [data["target"], data["label"], classes]),
    [["receiver shop.receivers.ship", "", "late"], ["receiver mail.receivers.send_receipt", "Order, Gift", ""]],
  );
});

test("a closed app is one node, and its lines end there", () => {
  const found = ids({ has: () => true, isOpen: (app) => app === "shop" });
  assert.ok(found.includes("signal shop.signals.paid\napp mail"));
  assert.ok(!found.some((id) => id?.startsWith("receiver mail")));
});

test("closed apps have no lines to themselves", () => {
  assert.deepEqual(ids({ has: () => true, isOpen: () => false }), ["app shop", "app mail", "app shop\napp mail"]);
});

test("what the list hides isn't drawn, nor are lines to it", () => {
  assert.deepEqual(ids({ has: (kind) => kind === "receiver", isOpen: () => true }), [
    "app shop", "app mail", "receiver shop.receivers.ship", "receiver mail.receivers.send_receipt",
  ]);
  assert.deepEqual(ids({ has: () => false, isOpen: () => true }), []);
});

test("labels are the last part of a name, short enough", () => {
  assert.equal(label("a.b.notify"), "notify");
  assert.equal(label("a.Cls.method"), "Cls.method");
  assert.equal(label("alone"), "alone");
  assert.equal(label(`a.${"x".repeat(90)}`).length, 32);
});

test("the signal, the receivers that ran and the lines between them light up", () => {
  const open = lit(
    [
      { signal: "shop.signals.paid", receiver: null, failures: 1 },
      { signal: "shop.signals.paid", receiver: "shop.receivers.ship", failures: 1 },
      { signal: "gone", receiver: null, failures: 0 },
    ],
    (kind, name) => (name === "gone" ? null : `${kind} ${name}`),
  );
  const ship = "receiver shop.receivers.ship";
  assert.deepEqual([...open.fired], ["signal shop.signals.paid", ship, `signal shop.signals.paid\n${ship}`]);
  assert.deepEqual([...open.failed], [ship, `signal shop.signals.paid\n${ship}`]);
});

test("every name knows its app", () => {
  assert.equal(appsOf(wiring).get("receiver mail.receivers.send_receipt"), "mail");
});
