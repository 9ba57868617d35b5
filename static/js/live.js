// The one socket of a page. Everything that must be seen again after a reconnect asks for it by sequence number.
import { io } from '../vendor/socket.io.js'

let socket

export function live() {
  if (socket) return socket
  socket = io({
    autoConnect: false,
    transports: ['websocket'],
    reconnectionDelay: 1000,
    reconnectionDelayMax: 30000,
    randomizationFactor: 0.9, // many clients coming back at once spread themselves out
  })
  // What is said first must find everybody listening: connect when all modules of the page have started.
  if (document.body.dataset.started) socket.connect()
  else addEventListener('started', () => socket.connect(), { once: true })
  return socket
}

// Emit and wait for the acknowledgement; rejects after `wait` milliseconds, or when there is no connection.
export function ask(event, data, wait = 10000) {
  const open = live()
  return open.connected ? open.timeout(wait).emitWithAck(event, data) : Promise.reject(new Error('offline'))
}
