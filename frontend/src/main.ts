// The graph: draws what the list shows, and lights up what fires. list.js says how they talk.
import cytoscape, { type Collection, type Core } from "cytoscape";
import dagre from "cytoscape-dagre";
import { elements, idOf, type Shown, type Wiring } from "./elements";
import { appsOf, lit, type NodeOf, type Row } from "./firing";
import { arrange } from "./layout";
import { style } from "./style";

const FLASH_MS = 1_500;
/** Below this zoom no label can be read. */
const READABLE = 0.45;
const byId = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;

/** What the list shows, read from it at once. */
function shown(): Shown {
  const visible = new Set<string>();
  const open = new Set<string>();
  for (const app of document.querySelectorAll<HTMLDetailsElement>("#list > details:not([hidden])")) {
    if (app.open) open.add(app.dataset["app"] ?? "");
    for (const item of app.querySelectorAll<HTMLElement>(".item:not([hidden])")) {
      visible.add(idOf(item.dataset["kind"] ?? "", item.dataset["name"] ?? ""));
    }
  }
  return { has: (kind, name) => visible.has(idOf(kind, name)), isOpen: (app) => open.has(app) };
}

function fit(cy: Core, what?: Collection): void {
  cy.fit(what, what ? 90 : 40);
  if (cy.zoom() > 1.15) {
    cy.zoom(1.15);
    cy.center(what);
  }
}

function start(wiring: Wiring): void {
  const cy = cytoscape({
    container: byId("graph"), style: style(), minZoom: 0.04, maxZoom: 3,
    boxSelectionEnabled: false, autoungrabify: false,
    hideEdgesOnViewport: false, textureOnViewport: false, pixelRatio: "auto",
  });
  const apps = appsOf(wiring);
  const counts = new Map<string, string>();
  // What has fired while this was loading.
  for (const item of document.querySelectorAll<HTMLElement>(".item[data-seen]")) {
    const id = idOf(item.dataset["kind"] ?? "", item.dataset["name"] ?? "");
    counts.set(id, item.querySelector(".pulse")?.textContent ?? "");
  }
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let chosen: string | null = null;
  let drawn = "";
  // Whether all is to be seen: until somebody moves or zooms.
  let whole = true;
  // Whether what was chosen has been zoomed in on.
  let closer = false;

  const nodeOf: NodeOf = (kind, name) => {
    const id = idOf(kind, name);
    if (cy.getElementById(id).nonempty()) return id;
    const app = idOf("app", apps.get(id) ?? "");
    return cy.getElementById(app).hasClass("closed") ? app : null;
  };

  function write(id: string): void {
    const text = counts.get(id);
    const node = cy.getElementById(id);
    if (text === undefined || node.empty()) return;
    node.data("label", `${node.data("text") as string}\n${text}`);
    node.addClass("seen");
  }

  function draw(): void {
    const wanted = elements(wiring, shown());
    const now = JSON.stringify(wanted.map((each) => [each.data.id, each.classes]));
    if (now === drawn) return;
    drawn = now;
    cy.batch(() => {
      cy.elements().remove();
      cy.add(wanted);
    });
    arrange(cy);
    [whole, closer] = [true, false];
    fit(cy);
    for (const id of counts.keys()) write(id);
    byId("empty").hidden = cy.nodes().nonempty();
    choose(chosen, false);
    document.body.dataset["drawn"] = String(cy.nodes().length);
    document.body.dataset["drawnMs"] ??= String(Math.round(performance.now()));
  }

  function choose(id: string | null, move: boolean): void {
    chosen = id;
    const node = id === null ? cy.collection() : cy.getElementById(id);
    cy.elements().removeClass("dim chosen near");
    if (node.empty()) return;
    const near = node.closedNeighborhood();
    cy.elements().not(near).not(near.parents()).not(":parent").addClass("dim");
    near.edges().addClass("near");
    node.addClass("chosen");
    if (!move) return;
    if (whole && cy.zoom() < READABLE) {
      // Among thousands nobody sees which is meant: go there, and come back when it is closed.
      fit(cy, near);
      closer = true;
    } else if (!whole && !isVisible(node)) cy.animate({ center: { eles: node }, duration: 200 });
  }

  function isVisible(node: Collection): boolean {
    const [all, one] = [cy.extent(), node.boundingBox()];
    return all.x1 <= one.x1 && one.x2 <= all.x2 && all.y1 <= one.y1 && one.y2 <= all.y2;
  }

  function flash(rows: Row[]): void {
    const { fired, failed } = lit(rows, nodeOf);
    for (const id of fired) {
      const element = cy.getElementById(id);
      element.removeClass("failed").addClass(failed.has(id) ? "fired failed" : "fired");
      clearTimeout(timers.get(id));
      timers.set(id, setTimeout(() => cy.getElementById(id).removeClass("fired"), FLASH_MS));
    }
    // For tests, and for those who style the page.
    document.body.dataset["fired"] = [...fired].join("|");
  }

  // Many apps are opened or closed at once: one picture for all of them.
  let pending = 0;
  document.addEventListener("signalpost:changed", () => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(draw);
  });
  document.addEventListener("signalpost:selected", (event) => {
    const detail = (event as CustomEvent<{ kind: string; name: string } | null>).detail;
    // The list may just have opened its app.
    draw();
    cy.resize();
    if (whole || closer) fitAll();
    choose(detail && idOf(detail.kind, detail.name), true);
  });
  document.addEventListener("signalpost:cleared", () => {
    counts.clear();
    cy.batch(() => cy.nodes(".seen").forEach((node) => void node.data("label", node.data("text")).removeClass("seen failed")));
  });
  document.addEventListener("signalpost:fired", (event) => {
    const { rows, texts } = (event as CustomEvent<{ rows: Row[]; texts: Record<string, string> }>).detail;
    for (const [id, text] of Object.entries(texts)) {
      counts.set(id, text);
      write(id);
    }
    flash(rows);
  });
  const pick = (detail: { kind: string; name: string }) =>
    document.dispatchEvent(new CustomEvent("signalpost:pick", { detail }));
  cy.on("tap", (event) => {
    // An open app is background: it is closed by a double click.
    if (event.target !== cy && !event.target.hasClass("open") && event.target.isNode()) pick(event.target.data());
    else if (chosen !== null) pick({ kind: "", name: "" });
  });
  cy.on("dbltap", "node.open", (event) => pick(event.target.data()));
  const zoom = (by: number) => {
    whole = false;
    cy.zoom({ level: cy.zoom() * by, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  };
  byId("zoom-in").addEventListener("click", () => zoom(1.3));
  byId("zoom-out").addEventListener("click", () => zoom(1 / 1.3));
  const fitAll = () => {
    [whole, closer] = [true, false];
    fit(cy);
  };
  byId("fit").addEventListener("click", fitAll);
  cy.on("dragpan scrollzoom pinchzoom", () => ([whole, closer] = [false, false]));
  cy.on("resize", () => whole && !closer && fit(cy));
  const pan = (x: number, y: number) => {
    [whole, closer] = [false, false]; // as by dragging: else the next resize would take it back
    cy.panBy({ x, y });
  };
  byId("graph").addEventListener("keydown", (event) => {
    const keys: Record<string, () => unknown> = {
      "+": () => zoom(1.3), "-": () => zoom(1 / 1.3), "0": fitAll,
      ArrowLeft: () => pan(60, 0), ArrowRight: () => pan(-60, 0),
      ArrowUp: () => pan(0, 60), ArrowDown: () => pan(0, -60),
    };
    if (event.ctrlKey || event.metaKey || !keys[event.key]) return;
    event.preventDefault();
    keys[event.key]?.();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cy.style(style()));
  // What the tests ask for: where a node is, in the window's coordinates.
  byId("graph").addEventListener("signalpost:where", (event) => {
    const request = event as CustomEvent<{ id: string; at?: { x: number; y: number }; classes?: string[] }>;
    const node = cy.getElementById(request.detail.id);
    const box = byId("graph").getBoundingClientRect();
    if (node.empty()) return;
    request.detail.classes = node.classes();
    if (node.isNode()) {
      const at = node.renderedPosition();
      request.detail.at = { x: box.x + at.x, y: box.y + at.y };
    }
  });
  draw();
}

cytoscape.use(dagre);
const answer = await fetch(document.body.dataset["dataUrl"] ?? "", { credentials: "same-origin" });
if (answer.ok) start((await answer.json()) as Wiring);
else byId("empty").replaceChildren("The map can’t be read. Log in again and reload the page.");
if (!answer.ok) byId("empty").hidden = false;
