// `socket.command(name, data, callback)`: how nodeim's clients have talked since 2013. This is all that an old client
// needs on top of any socket.io client; the rest of its code stays as it is.
//
//   > ["find",{"id":0,"data":{"username":"bob"}}]
//   < ["rspn",{"id":0,"cmd":"find","data":{"code":200,"users":[…]}}]

export function withCommands(socket) {
  let waiting = new Map();
  let count = 0;

  socket.command = (name, data = {}, callback = () => {}) => {
    // The library would keep the command and send it after a reconnect, when nobody is signed in yet.
    if (!socket.connected) return callback({ code: 0, message: 'offline' });
    waiting.set(count, callback);
    socket.emit(name, { id: count++, data });
  };

  socket.on('rspn', ({ id, data }) => {
    const callback = waiting.get(id);
    waiting.delete(id);
    callback?.(data);
  });

  // Their replies will never come. What was said may have been stored; `cid` makes it safe to say it again.
  socket.on('disconnect', () => {
    const lost = waiting;
    waiting = new Map();
    for (const callback of lost.values()) callback({ code: 0, message: 'offline' });
  });
  return socket;
}
