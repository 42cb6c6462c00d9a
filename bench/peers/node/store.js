// Messages in SQLite, each durable when its insert returns: one transaction for each.

import { createRequire } from "node:module";
import Database from "better-sqlite3";

export function versions() {
  const { version } = createRequire(import.meta.url)("better-sqlite3/package.json");
  const sqlite = new Database(":memory:").prepare("select sqlite_version()").pluck().get();
  return `better-sqlite3 ${version} (SQLite ${sqlite})`;
}

// Returns the function that writes a message.
export function open(file) {
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(`create table if not exists message (
    id integer primary key,
    sender integer not null,
    receiver integer,
    room integer,
    text text not null,
    time integer not null
  )`);
  const insert = db.prepare("insert into message (sender, receiver, room, text, time) values (?, ?, ?, ?, ?)");
  return (sender, receiver, room, text, time) => insert.run(sender, receiver, room, text, time);
}
