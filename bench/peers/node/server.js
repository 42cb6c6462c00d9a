// A chat as people write it with Node's socket.io: whoever comes is let in, and users and rooms are remembered in memory.
// With --sqlite every message is written to a file before it is acknowledged.
//
//   node server.js [--sqlite FILE] [--frame-bytes N] [--check]
//
// It speaks as much of nodeim's wire as a load needs. --check says what is installed and ends.

import { createServer } from "node:http";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { Server } from "socket.io";

const { values: options } = parseArgs({
  options: {
    sqlite: { type: "string" },
    "frame-bytes": { type: "string", default: "0" },
    check: { type: "boolean", default: false },
  },
});

let store = () => {};
let storedIn = "";
if (options.sqlite !== undefined) {
  const { open, versions } = await import("./store.js");
  store = open(options.sqlite);
  storedIn = `, ${versions()}`;
}
if (options.check) {
  const { version } = createRequire(import.meta.url)("socket.io/package.json");
  console.log(`Node ${process.version.slice(1)}, socket.io ${version}${storedIn}`);
  process.exit(0);
}

const users = new Map();
const online = new Map();
let rooms = 0;

// The id of a user, who need not have been here before.
function idOf(username) {
  if (!users.has(username)) users.set(username, users.size + 1);
  return users.get(username);
}

// nodeim's `message` event.
function message(from, to, text, room) {
  return { from: { id: from, username: "somebody" }, to, message: text, time: Date.now(), room, readed: 0 };
}

// What the first message in a room lacked of the wanted length; later ones are as long.
let pad;
function padded(frame) {
  if (pad === undefined) {
    const bare = JSON.stringify(frame).length + '42["message",],"pad":""'.length;
    pad = "x".repeat(Math.max(0, Number(options["frame-bytes"]) - bare));
  }
  if (pad !== "") frame.pad = pad;
  return frame;
}

const http = createServer();
// No client in the load polls. Compression would cost more than it saves here, and is off by default, too.
const io = new Server(http, { transports: ["websocket"], serveClient: false, perMessageDeflate: false });

io.on("connection", (socket) => {
  let me = 0;

  socket.on("signup", ({ username }, reply) => {
    reply({ code: 200, message: "welcome", id: idOf(username) });
  });

  socket.on("signin", ({ username }, reply) => {
    me = idOf(username);
    online.set(me, socket);
    reply({ code: 200, message: "welcome back", rooms: [] });
  });

  socket.on("message", ({ to, message: text }, reply) => {
    const receiver = online.get(to);
    if (!receiver) return reply({ code: 404, message: "unknown" });
    const frame = message(me, to, text);
    store(me, to, null, text, frame.time);
    receiver.emit("message", frame);
    reply({ code: 200 });
  });

  socket.on("room.create", (_wish, reply) => {
    rooms += 1;
    socket.join(String(rooms));
    reply({ code: 200, room: { id: rooms } });
  });

  socket.on("room.join", ({ id }, reply) => {
    socket.join(String(id));
    reply({ code: 200 });
  });

  socket.on("room.message", ({ room, message: text }, reply) => {
    const frame = message(me, me, text, room);
    store(me, null, room, text, frame.time);
    io.to(String(room)).emit("message", padded(frame));
    reply({ code: 200 });
  });
});

process.once("SIGTERM", () => process.exit(0));
// With Node's queue of 511, a storm of clients would wait for seconds: the kernel's doing, not the server's.
http.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, () => {
  console.error(`listening on http://127.0.0.1:${http.address().port}`);
});
