// @ts-check
// What fires: asks the server, writes counts and times into the list, and tells the graph.

/**
 * @typedef {{
 *   signal: string, receiver: string | null, sender: string | null, place: string | null,
 *   cause: string | null, count: number, failures: number, waits: number, total_ms: number,
 *   last_ms: number, changed: number,
 * }} Row
 * @typedef {{run: string, cursor: number, rows: Row[]}} Answer
 * @typedef {{count: number, failures: number, waits: number, total_ms: number, last_ms: number}} Sum
 */

const VISIBLE_MS = 400;
// Seldom, but often enough for the server to go on looking: what fires in another tab is counted.
const HIDDEN_MS = 2_000;

/** What the server has told so far. */
export class Tally {
  run = "";
  cursor = 0;
  /** @type {Map<string, Map<string, Row>>} */
  rows = new Map();

  /**
   * Take an answer, and give the rows in it that have grown: what fired since the last one. The
   * server counts from the start again after a while in which nobody has asked.
   * @param {Answer} answer @returns {Row[]}
   */
  take(answer) {
    if (answer.run !== this.run) this.rows.clear();
    this.run = answer.run;
    this.cursor = answer.cursor;
    for (const row of answer.rows) {
      const name = nameOf(row);
      const known = this.rows.get(name) ?? new Map();
      known.set(JSON.stringify([row.signal, row.sender, row.place, row.cause]), row);
      this.rows.set(name, known);
    }
    return answer.rows;
  }

  /** @param {string} name of nameOf @returns {Row[]} */
  of(name) {
    return [...(this.rows.get(name)?.values() ?? [])];
  }

  /** @param {string} name of nameOf @returns {Sum} */
  sum(name) {
    const rows = this.of(name).sort((one, other) => one.changed - other.changed);
    const total = { count: 0, failures: 0, waits: 0, total_ms: 0, last_ms: 0 };
    for (const row of rows) {
      total.count += row.count;
      total.failures += row.failures;
      total.waits += row.waits;
      total.total_ms += row.total_ms;
      if (row.count) total.last_ms = row.last_ms;
    }
    return total;
  }
}

/** "signal name" or "receiver name": whom a row is about. @param {Row} row */
export function nameOf(row) {
  return row.receiver === null ? `signal ${row.signal}` : `receiver ${row.receiver}`;
}

/** @param {number} value */
export function milliseconds(value) {
  return `${value.toFixed(value < 0.1 ? 3 : value < 1 ? 2 : value < 100 ? 1 : 0)} ms`;
}

/** "3× · 1.2 ms", with what failed and what waits. @param {Sum} sum */
export function inShort(sum) {
  const parts = [];
  if (sum.count) parts.push(`${sum.count}×`, milliseconds(sum.last_ms));
  if (sum.failures) parts.push(`${sum.failures} failed`);
  if (sum.waits) parts.push(`${sum.waits} for the commit`);
  return parts.join(" · ");
}

/** @param {string} tag @param {(Node | string)[]} children @param {string} kind */
function element(tag, children, kind = "") {
  const made = document.createElement(tag);
  if (kind) made.className = kind;
  made.append(...children);
  return made;
}

/** @param {string} kind @param {string} name */
function link(kind, name) {
  const made = /** @type {HTMLAnchorElement} */ (element("a", [name]));
  made.href = `#${encodeURIComponent(`${kind}:${name.replace(/\s/g, "_")}`)}`;
  return made;
}

/** What is known of who sends, or of what a receiver has done. @param {Row} row */
function line(row) {
  /** @type {(Node | string)[]} */
  const parts = [];
  if (row.receiver !== null) parts.push(link("signal", row.signal), " ");
  if (row.sender) parts.push(element("span", ["from ", element("code", [row.sender])], "tag"), " ");
  if (row.cause) parts.push(element("span", ["in ", link("receiver", row.cause)], "tag"), " ");
  const average = row.count ? `, ${milliseconds(row.total_ms / row.count)} on average` : "";
  parts.push(element("span", [inShort(row) + average], row.failures ? "sum failed" : "sum"));
  if (row.place) parts.push(" ", element("span", [row.place], "place"));
  return element("li", parts);
}

function start() {
  const url = document.body.dataset["liveUrl"];
  const status = document.getElementById("status");
  if (!url || !status) return;
  const tally = new Tally();
  /** @type {Map<string, HTMLElement>} */
  const items = new Map();
  for (const item of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".item"))) {
    items.set(`${item.dataset["kind"]} ${item.dataset["name"]}`, item);
  }
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let asking = false;

  /** @param {string} state @param {string} text */
  function say(state, text) {
    if (!status || status.dataset["state"] === state) return;
    status.dataset["state"] = state;
    const words = status.querySelector(".text");
    if (words) words.textContent = text;
  }

  /** @param {string} name */
  function write(name) {
    const item = items.get(name);
    const pulse = item?.querySelector(".pulse");
    const seen = item?.querySelector(".seen");
    if (!item || !pulse || !seen) return;
    const sum = tally.sum(name);
    pulse.textContent = inShort(sum);
    pulse.className = sum.failures ? "pulse failed flash" : "pulse flash";
    item.dataset["seen"] = "";
    const rows = tally.of(name).sort((one, other) => other.changed - one.changed);
    const lines = rows.slice(0, 20).map(line);
    if (rows.length > lines.length) lines.push(element("li", [`and ${rows.length - lines.length} more`]));
    seen.replaceChildren(element("ul", lines, "ends"));
    setTimeout(() => pulse.classList.remove("flash"), 1_200);
  }

  /** The server counts from the start: so does the page. */
  function clear() {
    for (const item of items.values()) {
      if (!("seen" in item.dataset)) continue;
      delete item.dataset["seen"];
      item.querySelector(".pulse")?.replaceChildren();
      item.querySelector(".seen")?.replaceChildren(element("p", ["Not since the server was asked again."], "quiet"));
    }
    document.dispatchEvent(new CustomEvent("signalpost:cleared"));
  }

  async function ask() {
    const answer = await fetch(`${url}?run=${tally.run}&since=${tally.cursor}`, {
      headers: { Accept: "application/json" },
      credentials: "same-origin",
    });
    if (answer.status === 403) return say("off", "Not live: log in again");
    if (!answer.ok) return say("lost", "Live: no answer, trying again");
    /** @type {Answer} */
    const told = await answer.json();
    if (told.run !== tally.run) clear();
    const rows = tally.take(told);
    say("on", "Live");
    if (!rows.length) return;
    const names = [...new Set(rows.map(nameOf))];
    for (const name of names) write(name);
    const texts = Object.fromEntries(names.map((name) => [name, inShort(tally.sum(name))]));
    document.dispatchEvent(new CustomEvent("signalpost:fired", { detail: { rows, texts } }));
  }

  async function poll() {
    clearTimeout(timer);
    if (asking) return;
    asking = true;
    try {
      await ask();
    } catch {
      say("lost", "Live: the server is away, trying again");
    } finally {
      asking = false;
      timer = setTimeout(poll, document.hidden ? HIDDEN_MS : VISIBLE_MS);
    }
  }

  document.addEventListener("visibilitychange", () => void poll());
  void poll();
}

if (typeof document !== "undefined") start();
