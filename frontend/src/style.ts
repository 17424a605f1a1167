// How the graph looks, in the colours of the page, which are variables in map.css.
import type { StylesheetStyle } from "cytoscape";

export function style(): StylesheetStyle[] {
  const colours = getComputedStyle(document.documentElement);
  const of = (name: string) => colours.getPropertyValue(`--${name}`).trim();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const font = "system-ui, -apple-system, Segoe UI, sans-serif";
  const sheet: [string, Record<string, unknown>][] = [
    ["node", {
      "font-family": font, "font-size": 13.5, color: of("text"), label: "data(label)", "text-wrap": "wrap",
      "text-valign": "center", "text-halign": "center", width: "data(width)", height: 34, "line-height": 1.25,
      "border-width": 1.5, "min-zoomed-font-size": 6,
      "transition-property": "background-color, border-color", "transition-duration": still ? 0 : 500,
    }],
    ['node[kind = "signal"]', { shape: "round-rectangle", "corner-radius": "18", "background-color": of("signal-fill"), "border-color": of("signal") }],
    ['node[kind = "receiver"]', { shape: "round-rectangle", "corner-radius": "4", "background-color": of("receiver-fill"), "border-color": of("receiver") }],
    ["node.open", {
      shape: "round-rectangle", "corner-radius": "10", "background-color": of("box"), "border-color": of("line"), "border-width": 1,
      "text-valign": "top", "text-halign": "center", "text-margin-y": -5, color: of("quiet"), "font-weight": 600, padding: 14, "font-size": 14,
    }],
    ["node.closed", { shape: "round-rectangle", "corner-radius": "8", "background-color": of("raised"), "border-color": of("edge"), height: 50 }],
    ["edge", {
      width: 1.5, "line-color": of("edge"), "target-arrow-color": of("edge"), "target-arrow-shape": "triangle", "arrow-scale": 0.9,
      "curve-style": "bezier", "font-family": font, "font-size": 11, label: "data(label)", color: of("quiet"),
      "text-background-color": of("ground"), "text-background-opacity": 0.9, "text-background-padding": 2, "min-zoomed-font-size": 7,
      "transition-property": "line-color, target-arrow-color, width", "transition-duration": still ? 0 : 500,
    }],
    ["edge.late", { "line-style": "dashed" }],
    [".dim", { opacity: 0.28 }],
    ["node.chosen", { "border-width": 3.5 }],
    ["edge.near", { width: 2.5, "line-color": of("accent"), "target-arrow-color": of("accent") }],
    ["node.fired", { "background-color": of("fired-fill"), "border-color": of("fired"), "border-width": 2.5, "transition-duration": 0 }],
    ["edge.fired", { width: 3.5, "line-color": of("fired"), "target-arrow-color": of("fired"), "transition-duration": 0 }],
    ["node.failed", { "background-color": of("failed-fill"), "border-color": of("failed"), "border-width": 2.5 }],
    ["edge.failed", { "line-color": of("failed"), "target-arrow-color": of("failed") }],
  ];
  return sheet.map(([selector, each]) => ({ selector, style: each }) as StylesheetStyle);
}
