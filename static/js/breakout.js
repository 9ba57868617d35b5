// A room of two or three: it counts down, and everybody is back with the group when the time is up, also who closed the lid.
import { live } from './live.js'
import { everySecond, left, run, startClocks } from './session-clock.js'
import { tell } from './dom.js'

const page = document.body.dataset

export function breakout() {
  const until = Date.now() + Number(page.seconds) * 1000 // how long it lasts, also while this screen slept
  let said = false
  run('breakout', Number(page.seconds))
  everySecond(() => {
    if (left('breakout') <= 0 || Date.now() >= until) return back()
    if (!said && left('breakout') <= 60) { said = true; tell('soon') }
  })
  startClocks()
  live().on('notice', ({ kind }) => { if (kind === 'back' || kind === 'out') back() })
}

let going = false
function back() {
  if (going) return
  going = true
  location.replace(page.breakout)
}

// Asked to stay out for now: the page waits, and comes along when one may come in again or a facilitator writes.
// Word of that may have come while there was no connection, so every new one asks.
export function out() {
  const socket = live()
  socket.on('notice', ({ kind }) => { if (kind === 'in' || kind === 'note') location.reload() })
  socket.on('connect', async () => {
    const answer = await fetch(location.pathname, { redirect: 'manual' }).catch(() => null)
    if (answer?.type === 'opaqueredirect') location.reload()
  })
}
