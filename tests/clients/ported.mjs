// `socket.command`, the addition that the desktop client of 2013 made to its socket.io.js, on a newer socket.
// It knows nothing of acks: a command goes out as `{id, data}`, its reply comes back as the event `rspn`.

/** Gives `socket` a `command(name, data, callback)`; ids count from 0, and 0 is as good as any. */
export function portCommand(socket) {
  let nextId = 0;
  const callbacks = new Map();

  socket.on('rspn', ({ id, cmd, data }) => {
    const waiting = callbacks.get(id);
    if (waiting?.name !== cmd) throw new Error(`a reply that nobody asked for: ${cmd} with id ${JSON.stringify(id)}`);
    callbacks.delete(id);
    waiting.callback(data);
  });

  socket.command = (name, data, callback) => {
    const id = nextId++;
    callbacks.set(id, { name, callback });
    socket.emit(name, { id, data });
  };
}
