// What went wrong in the page itself. A page that cannot draw must not look like one that has nothing to show.

import { tell } from "./state.js";

let fatal = null; // outside of drawing (a message that could not be taken in): what is known may be half of it
const said = new Set();

function say(wrong) {
  const words = String(wrong?.message ?? wrong);
  if (!said.has(words)) console.error("PAGE ERROR", wrong);
  said.add(words);
  return words;
}

/** Do the work; null, or the words of what it threw. */
export function caught(work) {
  try {
    work();
    return null;
  } catch (wrong) {
    return say(wrong);
  }
}

/** What went wrong outside of drawing since the page was loaded, or null. */
export const problem = () => fatal;

function keep(wrong) {
  fatal ??= say(wrong);
  tell();
}

addEventListener("error", (event) => keep(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => keep(event.reason));
