import type { NodeCore } from "./core.ts";
import type { RequestResult } from "./requests.ts";

/** What one node says; null: it did not answer, or does not know the question. */
export interface Said<T> {
  node: string;
  said: T | null;
}

/** Asks all nodes of the topology, this one too. Resolves within `timeoutMs`, in the topology's order. */
export function askAll<T>(core: NodeCore, method: string, body: unknown, timeoutMs: number): Promise<Said<T>[]> {
  const { nodes } = core.directory.require().state;
  return Promise.all(nodes.map((node) =>
    new Promise<Said<T>>((resolve) => {
      if (core.isSuspect(node.incarnation)) return resolve({ node: node.name, said: null });
      const done = (result: RequestResult) => resolve({ node: node.name, said: result.ok ? result.value as T : null });
      core.requests.ask(node.incarnation, method, body, { timeoutMs, done });
    })
  ));
}
