// From the wiring, and what of it is shown, to the elements of the graph.
import type { ElementDefinition } from "cytoscape";

export interface Receiver {
  name: string;
  app: string;
  sender: string | null;
  delivery: string;
}

export interface Signal {
  name: string;
  app: string;
  receivers: Receiver[];
}

export interface Wiring {
  signals: Signal[];
}

/** What the list shows: the graph draws nothing else. */
export interface Shown {
  has(kind: "signal" | "receiver", name: string): boolean;
  isOpen(app: string): boolean;
}

/** Characters of a label: what is longer loses its middle. */
const LABEL = 32;
const CHARACTER = 8.3;

export const idOf = (kind: string, name: string): string => `${kind} ${name}`;

/** What is written on a node: the last part of the name, with its class if it has one. */
export function label(name: string): string {
  const parts = name.split(".");
  const last = parts.pop() ?? name;
  const before = parts.pop();
  const text = before !== undefined && /^[A-Z]/.test(before) ? `${before}.${last}` : last;
  if (text.length <= LABEL) return text;
  return `${text.slice(0, LABEL / 2)}…${text.slice(1 - LABEL / 2)}`;
}

export const widthOf = (text: string): number => Math.max(90, Math.round(text.length * CHARACTER) + 26);

interface Edge {
  source: string;
  target: string;
  senders: Set<string>;
  late: boolean;
}

/** Apps as boxes with what is in them, or, where they are closed, as one node each. */
export function elements(wiring: Wiring, shown: Shown): ElementDefinition[] {
  const nodes = new Map<string, ElementDefinition>();
  const edges = new Map<string, Edge>();
  const inside = new Map<string, Set<string>>();

  function node(kind: "signal" | "receiver", name: string, app: string): string {
    const id = idOf(kind, name);
    const box = idOf("app", app);
    inside.set(app, (inside.get(app) ?? new Set()).add(id));
    if (!shown.isOpen(app)) return box;
    if (!nodes.has(id)) {
      const text = label(name);
      nodes.set(id, { data: { id, kind, name, parent: box, label: text, text, width: widthOf(text) } });
    }
    return id;
  }

  for (const signal of wiring.signals) {
    const isShown = shown.has("signal", signal.name);
    const source = isShown ? node("signal", signal.name, signal.app) : null;
    for (const receiver of signal.receivers) {
      if (!shown.has("receiver", receiver.name)) continue;
      const target = node("receiver", receiver.name, receiver.app);
      if (source === null || source === target) continue;
      const key = `${source}\n${target}`;
      const edge = edges.get(key) ?? { source, target, senders: new Set(), late: true };
      if (receiver.sender) edge.senders.add(receiver.sender);
      edge.late &&= receiver.delivery !== "now";
      edges.set(key, edge);
    }
  }
  const boxes = [...inside].map(([app, members]): ElementDefinition => {
    const open = shown.isOpen(app);
    const text = open ? app : `${app}\n${members.size} inside`;
    return {
      data: { id: idOf("app", app), kind: "app", name: app, label: text, text, width: widthOf(app) },
      classes: open ? "open" : "closed",
    };
  });
  return [...boxes, ...nodes.values(), ...[...edges.values()].map(drawn)];
}

function drawn({ source, target, senders, late }: Edge): ElementDefinition {
  const names = [...senders].map(label);
  const more = names.length > 2 ? ` +${names.length - 2}` : "";
  return {
    data: { id: `${source}\n${target}`, source, target, label: names.slice(0, 2).join(", ") + more },
    classes: late ? "late" : "",
  };
}
