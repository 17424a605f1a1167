// What fired, as the ids of the elements that light up.
import { idOf, type Wiring } from "./elements";

/** A row of live.js. */
export interface Row {
  signal: string;
  receiver: string | null;
  failures: number;
}

export interface Lit {
  /** The elements that light up. */
  fired: Set<string>;
  /** Those of them where something has failed. */
  failed: Set<string>;
}

/** The node that stands for something: its app's, where that is closed. */
export type NodeOf = (kind: "signal" | "receiver", name: string) => string | null;

/** What lights up: the signal, the receivers that ran, and the lines between them. */
export function lit(rows: Row[], nodeOf: NodeOf): Lit {
  const found: Lit = { fired: new Set(), failed: new Set() };
  for (const row of rows) {
    const source = nodeOf("signal", row.signal);
    const target = row.receiver === null ? null : nodeOf("receiver", row.receiver);
    const touched = row.receiver === null ? [source] : [target, source && target && `${source}\n${target}`];
    for (const id of touched) {
      if (!id) continue;
      found.fired.add(id);
      if (row.failures && row.receiver !== null) found.failed.add(id);
    }
  }
  return found;
}

/** The apps of all that there is: where something is drawn while its app is closed. */
export function appsOf(wiring: Wiring): Map<string, string> {
  const found = new Map<string, string>();
  for (const signal of wiring.signals) {
    found.set(idOf("signal", signal.name), signal.app);
    for (const receiver of signal.receivers) found.set(idOf("receiver", receiver.name), receiver.app);
  }
  return found;
}
