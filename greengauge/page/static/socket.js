// One WebSocket a tab. It comes back by itself; three seconds without a message mean "not live".

import { apply, lost, silence } from "./state.js";

const SILENT_S = 3;
const GIVE_UP_S = 5;

let socket = null;
let pause = 500;
let opened = 0;
let asked = ""; // the windows that this connection was told to send

/** Only the scores of these windows from now on; asked once a connection and choice. */
export function wish(windows) {
  const text = JSON.stringify({ windows: [...windows].sort() });
  if (text === asked || socket?.readyState !== WebSocket.OPEN) return;
  socket.send((asked = text));
}

function open() {
  opened = performance.now();
  asked = "";
  const mine = (socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`));
  mine.onmessage = (event) => {
    if (mine !== socket) return;
    pause = 500;
    apply(JSON.parse(event.data));
  };
  mine.onclose = () => {
    if (mine === socket) again();
  };
}

function again() {
  socket = null;
  setTimeout(open, pause * (0.75 + Math.random() / 2));
  pause = Math.min(5000, pause * 1.6);
}

function watch() {
  if (silence() <= SILENT_S) return;
  lost();
  const waited = (performance.now() - opened) / 1000;
  if (socket && waited > GIVE_UP_S && silence() > GIVE_UP_S) {
    const dead = socket; // half-open: the other end is gone without a word
    again();
    dead.close();
  }
}

export function connect() {
  open();
  setInterval(watch, 250);
}
