// @ts-check
// The list of signals and receivers: search, filters, keys, and the details beside the graph.
//
// The list is the truth of what is shown. The graph, which is another script and may be missing,
// draws what is visible here; both tell the other by events of the document:
//   signalpost:changed   what is visible, or which app is open, has changed
//   signalpost:selected  an item was chosen; its detail is {kind, name}, or null
//   signalpost:pick      something was clicked in the graph; {kind, name}
//   signalpost:fired     what fired, from live.js; signalpost:cleared: it counts from the start

/** @typedef {{text: string, app: string, connected: boolean, inner: boolean, seen: boolean}} Filter */
/** @typedef {Filter} Facts of an item; "inner" is what connects Django with itself. */

/** More items than this are too many to be drawn at once: their apps come first. */
export const MANY = 150;

/**
 * Whether an item with these facts is shown. Each word that was typed has to be somewhere in it.
 * @param {Facts} facts @param {Filter} filter
 */
export function matches(facts, filter) {
  if (filter.app && facts.app !== filter.app) return false;
  if (!filter.inner && facts.inner) return false;
  if (filter.connected && !facts.connected) return false;
  if (filter.seen && !facts.seen) return false;
  const text = facts.text.toLowerCase();
  return filter.text.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/**
 * The place in a list of that length to which a key leads, or null for other keys.
 * @param {string} key @param {number} at @param {number} length
 */
export function step(key, at, length) {
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: length - 1 }[key];
  return to === undefined ? null : Math.max(0, Math.min(length - 1, to));
}

/** @param {string} name @param {unknown} detail */
function tell(name, detail = null) {
  document.dispatchEvent(new CustomEvent(`signalpost:${name}`, { detail }));
}

/** @template {HTMLElement} T @param {string} id @returns {T | null} */
function byId(id) {
  return /** @type {T | null} */ (document.getElementById(id));
}

function start() {
  const list = /** @type {HTMLElement} */ (byId("list"));
  const form = /** @type {HTMLFormElement} */ (byId("filters"));
  /** @type {HTMLElement[]} */
  const items = [...list.querySelectorAll(/** @type {"li"} */ (".item"))];
  /** @type {HTMLDetailsElement[]} */
  const apps = [...list.querySelectorAll("details")];
  // Read once: the text of a thousand items isn't searched for at each key.
  const texts = new Map(items.map((item) => [item, item.textContent ?? ""]));
  const panel = byId("panel");
  /** @type {HTMLElement | null} */
  let selected = null;

  /** @returns {Filter} */
  function filter() {
    const values = new FormData(form);
    return {
      text: String(values.get("text") ?? ""),
      app: String(values.get("app") ?? ""),
      connected: values.has("connected"),
      inner: values.has("inner"),
      seen: values.has("seen"),
    };
  }

  function apply() {
    const wanted = filter();
    let shown = 0;
    for (const app of apps) {
      let inside = 0;
      for (const item of /** @type {NodeListOf<HTMLElement>} */ (app.querySelectorAll(".item"))) {
        item.hidden = !matches(
          {
            text: texts.get(item) ?? "",
            app: app.dataset["app"] ?? "",
            connected: "connected" in item.dataset,
            inner: "inner" in item.dataset,
            seen: "seen" in item.dataset,
          },
          wanted,
        );
        inside += Number(!item.hidden);
      }
      for (const title of app.querySelectorAll("h3")) {
        title.hidden = !title.nextElementSibling?.querySelector(".item:not([hidden])");
      }
      app.hidden = inside === 0;
      shown += inside;
    }
    const found = byId("found");
    if (found) found.textContent = shown === items.length ? "" : `${shown} of ${items.length} shown`;
    return shown;
  }

  /** @param {boolean} open */
  function open(open) {
    for (const app of apps) app.open = open;
    tell("changed");
  }

  /** @param {HTMLElement | null} item @param {boolean} focus */
  function select(item, focus) {
    selected?.querySelector(".pick")?.removeAttribute("aria-current");
    const before = selected;
    selected = item;
    if (item) {
      item.hidden = false;
      const app = item.closest("details");
      if (app) [app.hidden, app.open] = [false, true];
      item.querySelector(".pick")?.setAttribute("aria-current", "true");
      item.scrollIntoView({ block: "nearest" });
    }
    if (panel) {
      panel.hidden = !item;
      document.body.classList.toggle("has-details", Boolean(item));
      fill();
      if (item && focus) byId("panel-title")?.focus();
      if (!item) /** @type {HTMLElement | null | undefined} */ (before?.querySelector(".pick"))?.focus();
    }
    tell("selected", item && { kind: item.dataset["kind"], name: item.dataset["name"] });
  }

  /** The panel shows what the list has on the item: it is written once, by the server. */
  function fill() {
    const facts = byId("panel-facts");
    if (!selected || !facts) return;
    const part = (/** @type {string} */ of) => selected?.querySelector(of)?.cloneNode(true);
    /** @type {HTMLElement} */ (byId("panel-kind")).textContent = selected.dataset["kind"] ?? "";
    const title = /** @type {HTMLElement} */ (byId("panel-title"));
    const [name, pulse, copy] = [part(".short"), part(".pulse"), part(".facts")];
    if (name && pulse && copy) {
      /** @type {HTMLElement} */ (pulse).classList.remove("flash");
      title.replaceChildren(name, " ", pulse);
      facts.replaceChildren(...copy.childNodes);
    }
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const shown = apply();
    // What was searched for is to be seen, if it isn't everything again.
    if (filter().text && shown <= MANY) for (const app of apps) app.open = true;
    tell("changed");
  });
  list.addEventListener("click", (event) => {
    const pick = /** @type {Element} */ (event.target).closest(".pick");
    if (pick) select(pick.closest("li"), true);
  });
  document.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest(".ends a, .seen a");
    const id = decodeURIComponent(link?.getAttribute("href")?.slice(1) ?? "");
    const item = id ? byId(id) : null;
    if (!item) return;
    item.hidden = false;
    const app = item.closest("details");
    if (app) [app.hidden, app.open] = [false, true];
    if (panel) {
      event.preventDefault();
      select(item, true);
    }
  });
  list.addEventListener("keydown", (event) => {
    const focusable = /** @type {HTMLElement[]} */ ([
      ...list.querySelectorAll("details:not([hidden]) > summary, .item:not([hidden]) > .pick"),
    ]).filter((each) => each.tagName === "SUMMARY" || each.closest("details")?.open);
    const at = focusable.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const to = at < 0 ? null : step(event.key, at, focusable.length);
    if (to === null) return;
    event.preventDefault();
    focusable[to]?.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && selected) select(null, true);
    const typing = /** @type {Element} */ (event.target).matches("input, select");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      /** @type {HTMLElement} */ (form.elements.namedItem("text")).focus();
    }
  });
  list.addEventListener("toggle", () => tell("changed"), true);
  document.addEventListener("signalpost:pick", (event) => {
    const { kind, name } = /** @type {CustomEvent} */ (event).detail ?? {};
    if (kind === "app") {
      const app = apps.find((each) => each.dataset["app"] === name);
      if (app) app.open = !app.open;
    } else {
      select(items.find((i) => i.dataset["kind"] === kind && i.dataset["name"] === name) ?? null, false);
    }
  });
  for (const name of ["fired", "cleared"]) {
    document.addEventListener(`signalpost:${name}`, () => {
      fill();
      if (filter().seen) {
        apply();
        tell("changed");
      }
    });
  }
  byId("close")?.addEventListener("click", () => select(null, true));
  byId("fold")?.addEventListener("click", () => open(false));
  byId("unfold")?.addEventListener("click", () => open(true));
  byId("reset")?.addEventListener("click", () => {
    form.reset();
    apply();
    tell("changed");
  });

  let shown = apply();
  if (!shown) {
    // A project that connects nothing of its own is shown what Django does.
    /** @type {HTMLInputElement} */ (form.elements.namedItem("inner")).defaultChecked = true;
    shown = apply();
  }
  if (panel && shown > MANY) open(false);
  // A reload keeps what was typed; the list has to follow.
  window.addEventListener("pageshow", () => {
    apply();
    tell("changed");
  });
}

if (typeof document !== "undefined") start();
