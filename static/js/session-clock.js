// The clocks of a session. They count on from how long something still lasts, never from what time it is: our own clock
// may be wrong. A paused clock stands still.
import { all, fill } from './dom.js'

const clocks = new Map() // name -> { ends, of, still }
const beats = []

export function run(name, seconds, of = seconds, still = false) {
  clocks.set(name, { ends: performance.now() + seconds * 1000, of, still: still ? seconds : null })
  tick()
}

export function stop(name) {
  clocks.delete(name)
}

export function left(name) {
  const clock = clocks.get(name)
  return clock ? Math.max(0, clock.still ?? (clock.ends - performance.now()) / 1000) : 0
}

export const minutes = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`

// Call `beat` every second, together with the clocks.
export function everySecond(beat) {
  beats.push(beat)
}

export function startClocks() {
  setInterval(tick, 1000)
}

function tick() {
  for (const place of all('[data-count]')) {
    if (!clocks.has(place.dataset.count)) continue
    const text = fill(place.dataset.text, { t: minutes(Math.round(left(place.dataset.count))) })
    if (place.textContent !== text) place.textContent = text
  }
  for (const bar of all('[data-bar]')) {
    const clock = clocks.get(bar.dataset.bar)
    if (clock) { bar.max = Math.max(clock.of, 1); bar.value = clock.of - left(bar.dataset.bar) }
  }
  for (const beat of beats) beat()
}
