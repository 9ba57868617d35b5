// Breathing together and riding a wave, in step on every screen: all count on from the seconds the server gave. The circle
// is an animation that began that long ago; who wants no motion gets the words and the bar.
import { all, one, put, show, tell } from './dom.js'
import { everySecond, left, run, stop } from './session-clock.js'

const IN = 4 // seconds in, of ten
const ROUND = 10
let kind = ''
let length = 0

everySecond(beat)

// From what the page says, before anything was heard.
export function begin() {
  const { is, in: gone, of } = one('[data-pulse]').dataset
  set({ kind: is, seconds_in: Number(gone), seconds: Number(of) }, false)
}

export function follow({ pulse, paused }) {
  if (pulse) set(pulse, paused)
  else if (kind) end()
}

function set(pulse, paused) {
  const box = one('[data-pulse]')
  const fresh = kind !== pulse.kind
  kind = pulse.kind
  length = pulse.seconds
  run('pulse', pulse.seconds - pulse.seconds_in, pulse.seconds, paused)
  if (fresh) tell(kind)
  if (!box) return
  show(one('[data-pulse-breath]'), kind === 'breath')
  show(one('[data-pulse-wave]'), kind === 'wave')
  const title = one('[data-pulse-title]')
  put(title, kind === 'wave' ? title.dataset.isWave : title.dataset.isBreath)
  show(box, true)
  box.toggleAttribute('data-still', paused)
  for (const air of all('.pulse__air', box)) air.style.animationDelay = `${-(pulse.seconds_in % ROUND)}s`
  beat()
}

function end() {
  kind = ''
  stop('pulse')
  show(one('[data-pulse]'), false)
}

function beat() {
  if (!kind) return
  const gone = length - left('pulse')
  if (gone >= length) return end()
  const word = one('[data-breath-word]')
  if (!word) return
  if (kind === 'breath') return put(word, Math.round(gone) % ROUND < IN ? word.dataset.in : word.dataset.out)
  const line = one('[data-pulse-line]')
  const at = line.getPointAtLength(line.getTotalLength() * gone / length)
  for (const dot of all('[data-pulse-dot]')) { dot.setAttribute('cx', at.x); dot.setAttribute('cy', at.y) }
  const words = one('[data-wave-word]')
  put(words, gone < length * .42 ? words.dataset.up : gone < length * .58 ? words.dataset.top : words.dataset.down)
}
