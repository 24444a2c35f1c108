// What is asked for again and again while it is on the screen, and not streamed.

import { state, tell } from "./state.js";

/**
 * A function of a path that asks for it when another was asked for last or `everyMs` have passed, and hands on what it
 * answers, unless something else was asked for meanwhile. What fails is tried again when it is due: the rows say how old
 * they are.
 */
export function asker(everyMs, take) {
  let asked = "";
  let at = -Infinity;
  return async (path) => {
    if (!state.live || (asked === path && performance.now() - at < everyMs)) return;
    [asked, at] = [path, performance.now()];
    try {
      const answer = await fetch(path);
      if (!answer.ok) throw new Error(answer.statusText);
      const body = await answer.json();
      if (asked !== path) return;
      take(body);
      tell();
    } catch {
      // as above
    }
  };
}
