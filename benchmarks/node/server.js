/*
 * What one writes first with Socket.IO on Node: one INSERT a message, then the acknowledgement, then an emit to the room.
 *
 * Honest where it counts: better-sqlite3 with WAL and synchronous=FULL, the same table and constraints as ours, one
 * prepared statement, the acknowledgement after the insert has been committed. What it does not do: it screens nothing,
 * seals nothing, knows no sessions or rights (a cookie names a seat, and the table of seats is held in memory), limits
 * nobody, and keeps no key that was seen before apart from the table's own constraint. It does less than ours on purpose:
 * it is the mark to be measured against, not an equal.
 *
 *   node server.js people R M     make R rooms of M members, one JSON line a person
 *   node server.js run            serve them on 127.0.0.1:PORT, data in SAMEN_DATA_DIR
 */
"use strict";

const http = require("node:http");
const path = require("node:path");
const Database = require("better-sqlite3");

const db = new Database(path.join(process.env.SAMEN_DATA_DIR, "samen.db"));
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`
  CREATE TABLE IF NOT EXISTS rooms (
    id INTEGER PRIMARY KEY, public_id VARCHAR(12) NOT NULL UNIQUE, last_seq INTEGER NOT NULL DEFAULT 0);
  CREATE TABLE IF NOT EXISTS seats (
    id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL REFERENCES rooms (id), alias VARCHAR(40) NOT NULL,
    role VARCHAR(12) NOT NULL, token VARCHAR(40) NOT NULL UNIQUE);
  CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL REFERENCES rooms (id), seq INTEGER,
    seat_id INTEGER NOT NULL REFERENCES seats (id), key VARCHAR(36) NOT NULL, text VARCHAR NOT NULL, reply_to INTEGER,
    status VARCHAR(10) NOT NULL, masked BOOLEAN NOT NULL, at DATETIME NOT NULL,
    UNIQUE (room_id, seat_id, key), UNIQUE (room_id, seq));
`);

function people(rooms, members) {
  const addRoom = db.prepare("INSERT INTO rooms (public_id) VALUES (?)");
  const addSeat = db.prepare("INSERT INTO seats (room_id, alias, role, token) VALUES (?, ?, 'member', ?)");
  db.transaction(() => {
    for (let group = 0; group < rooms; group += 1) {
      const room = `room${String(group).padStart(8, "0")}`;
      const { lastInsertRowid } = addRoom.run(room);
      for (let number = 0; number < members; number += 1) {
        const alias = `Lid_${number}`;
        const token = `token-${group}-${number}`;
        addSeat.run(lastInsertRowid, alias, token);
        console.log(JSON.stringify({ group: room, room, alias, role: "member", cookie: `plain=${token}` }));
      }
    }
  })();
}

function run() {
  const { Server } = require("socket.io");
  const rooms = new Map(); // public id -> {id, seq}; one process writes, so the numbers can live here
  for (const row of db.prepare("SELECT r.id, r.public_id, max(m.seq) AS seq FROM rooms r LEFT JOIN messages m" +
      " ON m.room_id = r.id GROUP BY r.id").all()) {
    rooms.set(row.public_id, { id: row.id, seq: row.seq ?? 0 });
  }
  const seats = new Map(db.prepare("SELECT token, id, alias, role FROM seats").all().map((seat) => [seat.token, seat]));
  const insert = db.prepare("INSERT INTO messages (room_id, seq, seat_id, key, text, reply_to, status, masked, at)" +
    " VALUES (?, ?, ?, ?, ?, NULL, 'posted', 0, ?)");
  const after = db.prepare("SELECT m.seq, s.alias, s.role, m.text, m.at, m.status FROM messages m" +
    " JOIN seats s ON s.id = m.seat_id WHERE m.room_id = ? AND m.seq > ? ORDER BY m.seq LIMIT 200");

  const web = http.createServer();
  const live = new Server(web, { transports: ["websocket"], serveClient: false, perMessageDeflate: false });

  live.on("connection", (socket) => {
    const seat = seats.get((/plain=([^;]+)/.exec(socket.handshake.headers.cookie) ?? [])[1]);
    if (!seat) {
      socket.disconnect(true);
      return;
    }
    socket.on("room.join", (data, ack) => {
      socket.join(data.room);
      const room = rooms.get(data.room);
      ack({ ok: true, room: data.room, session: null, head: room.seq, items: after.all(room.id, data.after ?? 0) });
    });
    socket.on("room.sync", (data, ack) => {
      const room = rooms.get(data.room);
      ack({ ok: true, head: room.seq, items: after.all(room.id, data.after ?? 0) });
    });
    socket.on("message.send", (data, ack) => {
      const room = rooms.get(data.room);
      const seq = room.seq + 1;
      const at = `${new Date().toISOString().slice(0, 16)}Z`;
      insert.run(room.id, seq, seat.id, data.key, data.text, at);
      room.seq = seq;
      ack({ ok: true, seq, status: "posted", masked: false });
      const message = { seq, alias: seat.alias, role: seat.role, text: data.text, at, status: "posted" };
      live.to(data.room).emit("messages", { room: data.room, items: [message] });
    });
  });
  web.listen(Number(process.env.PORT), "127.0.0.1", 1024);
}

if (process.argv[2] === "people") {
  people(Number(process.argv[3]), Number(process.argv[4]));
} else {
  run();
}
