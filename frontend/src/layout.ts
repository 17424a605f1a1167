// Where the nodes go. Dagre draws layers and crosses few lines, and takes minutes for thousands of
// nodes; those are put in columns instead, which takes no time: signals left, receivers right.
import type { Core, LayoutOptions, NodeSingular } from "cytoscape";

/** Nodes and edges that dagre lays out in well under a second. */
export const DAGRE = 350;

export interface Box {
  id: string;
  /** The heights don't differ; the widths do. */
  signals: { id: string; width: number }[];
  receivers: { id: string; width: number }[];
}

export interface Point {
  x: number;
  y: number;
}

const [ROW, GAP, BETWEEN] = [46, 130, 80];
const COMMON = { fit: false, animate: false };

/** The middle of each node: an app is a block of two columns, and blocks stand in shelves. */
export function columns(boxes: Box[], proportion = 1.6): Map<string, Point> {
  const places = new Map<string, Point>();
  const blocks = boxes.map((box) => {
    const left = Math.max(0, ...box.signals.map((each) => each.width));
    const right = Math.max(0, ...box.receivers.map((each) => each.width));
    const width = Math.max(left + right + (left && right ? GAP : 0), 90);
    const height = Math.max(box.signals.length, box.receivers.length, 1) * ROW;
    return { ...box, left, right, width, height };
  });
  const corners = shelves(blocks, BETWEEN, proportion);
  for (const { id, signals, receivers, left, right, width } of blocks) {
    const { x, y } = corners.get(id) ?? { x: 0, y: 0 };
    signals.forEach((each, row) => places.set(each.id, { x: x + left / 2, y: y + (row + 0.5) * ROW }));
    receivers.forEach((each, row) => places.set(each.id, { x: x + width - right / 2, y: y + (row + 0.5) * ROW }));
    if (!signals.length && !receivers.length) places.set(id, { x: x + width / 2, y: y + ROW / 2 });
  }
  return places;
}

interface Block {
  id: string;
  width: number;
  height: number;
}

/** The top left corner of each, side by side and in rows: so that all is as large as it can be. */
export function shelves(blocks: Block[], gap: number, proportion: number): Map<string, Point> {
  const sorted = [...blocks].sort((one, other) => other.height - one.height);
  // The rows are as wide as the first blocks together, of however many that is best.
  let [width, best, smallest] = [-gap, new Map<string, Point>(), Infinity];
  for (const block of sorted) {
    width += block.width + gap;
    const { corners, right, bottom } = rows(sorted, gap, width);
    const size = Math.max(right / proportion, bottom);
    if (size < smallest) [best, smallest] = [corners, size];
  }
  return best;
}

function rows(blocks: Block[], gap: number, widest: number) {
  const corners = new Map<string, Point>();
  let [x, y, tallest, right] = [0, 0, 0, 0];
  for (const { id, width, height } of blocks) {
    if (x > 0 && x + width > widest) [x, y, tallest] = [0, y + tallest + gap, 0];
    corners.set(id, { x, y });
    right = Math.max(right, x + width);
    x += width + gap;
    tallest = Math.max(tallest, height);
  }
  return { corners, right, bottom: y + tallest };
}

export interface Rectangle {
  id: string;
  x1: number;
  x2: number;
  y1: number;
  y2: number;
}

/** How far down each box has to go, so that none touches another; dagre leaves no room for frames. */
export function apart(boxes: Rectangle[], gap: number): Map<string, number> {
  const moved = new Map<string, number>();
  const done: Rectangle[] = [];
  for (const box of [...boxes].sort((one, other) => one.y1 - other.y1)) {
    const above = done.filter((each) => each.x1 < box.x2 + gap / 2 && box.x1 < each.x2 + gap / 2);
    const by = Math.max(0, ...above.map((each) => each.y2 + gap - box.y1));
    moved.set(box.id, by);
    done.push({ ...box, y1: box.y1 + by, y2: box.y2 + by });
  }
  return moved;
}

/** Which apps have to do with each other: for each, the first of those that it is linked to. */
export function together(apps: string[], links: [string, string][]): Map<string, string> {
  const group = new Map(apps.map((app) => [app, app]));
  for (const [one, other] of links) {
    const [from, to] = [group.get(one), group.get(other)];
    if (from === undefined || to === undefined || from === to) continue;
    for (const [app, first] of group) if (first === from) group.set(app, to);
  }
  return group;
}

/** Put everything in its place. */
export function arrange(cy: Core): void {
  const proportion = cy.width() / Math.max(cy.height(), 1);
  if (cy.elements().length > DAGRE) {
    cy.layout(inColumns(cy, proportion)).run();
    return;
  }
  const layers = { name: "dagre", rankDir: "LR", nodeSep: 10, edgeSep: 10, rankSep: 130, ranker: "tight-tree" };
  cy.layout({ ...COMMON, ...layers } as LayoutOptions).run();
  const apps = cy.nodes('[kind = "app"]');
  const frames = () => apps.map((app) => ({ id: app.id(), ...app.boundingBox({ includeOverlays: false }) }));
  const move = (id: string, by: Point) => {
    const app = cy.getElementById(id);
    (app.isParent() ? app.children() : app).shift(by);
  };
  const down = apart(frames(), 24);
  cy.batch(() => down.forEach((by, id) => by && move(id, { x: 0, y: by })));
  // Those that have nothing to do with each other may stand beside each other.
  const appOf = (node: NodeSingular) => (node.isChild() ? node.parent().first() : node).id();
  const group = together(
    apps.map((app) => app.id()),
    cy.edges().map((edge) => [appOf(edge.source()), appOf(edge.target())]),
  );
  const groups = new Map<string, Rectangle>();
  for (const { id, x1, x2, y1, y2 } of frames()) {
    const first = group.get(id) ?? id;
    const known = groups.get(first) ?? { id: first, x1, x2, y1, y2 };
    groups.set(first, {
      id: first, x1: Math.min(x1, known.x1), x2: Math.max(x2, known.x2), y1: Math.min(y1, known.y1), y2: Math.max(y2, known.y2),
    });
  }
  const sizes = [...groups.values()].map(({ id, x1, x2, y1, y2 }) => ({ id, width: x2 - x1, height: y2 - y1 }));
  const corners = shelves(sizes, 40, proportion);
  cy.batch(() => {
    for (const [id, first] of group) {
      const [from, to] = [groups.get(first), corners.get(first)];
      if (from && to) move(id, { x: to.x - from.x1, y: to.y - from.y1 });
    }
  });
}

function inColumns(cy: Core, proportion: number): LayoutOptions {
  const boxes = cy.nodes('[kind = "app"]').map((app) => {
    const members = (kind: string) =>
      app.children(`[kind = "${kind}"]`).map((node) => ({ id: node.id(), width: node.data("width") as number }));
    return { id: app.id(), signals: members("signal"), receivers: members("receiver") };
  });
  const places = columns(boxes, proportion);
  const positions = (node: string | NodeSingular) =>
    places.get(typeof node === "string" ? node : node.id()) ?? { x: 0, y: 0 };
  return { ...COMMON, name: "preset", positions } as unknown as LayoutOptions;
}
