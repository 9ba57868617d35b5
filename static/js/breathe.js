// Breathing alone, at a step: the same circle as in a session, begun by oneself.
import { begin } from './breath.js'
import { one, put, show } from './dom.js'
import { startClocks } from './session-clock.js'

export function breathe() {
  const start = one('[data-breathe]')
  const box = one('[data-pulse]')
  const said = one('[data-breathe-said]')
  let ticking = false
  show(start, true)
  start.addEventListener('click', () => {
    put(said, '')
    show(one('[data-breathe-still]'), false)
    show(box, true)
    show(start, false)
    begin()
    if (!ticking) startClocks()
    ticking = true
    setTimeout(() => {
      show(box, false)
      show(one('[data-breathe-still]'), true)
      show(start, true)
      put(said, said.dataset.done)
    }, Number(box.dataset.of) * 1000)
  })
}
