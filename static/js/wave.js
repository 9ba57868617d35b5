// The wave: drawn as it passes, by steps of the clock; nothing is animated. Who wants less motion sees it move once a
// minute. The timer needs no network; what came of it is sent, or kept on the device until there is one (rides.js).
import { all, one, put, show } from './dom.js'
import { keep, post, signedIn } from './rides.js'

const RISES = .42 // from here to there is the top
const SINKS = .58

export function wave() {
  const box = one('[data-wave]')
  const start = one('[data-wave-start]')
  const form = one('[data-wave-finish]')
  const ride = { key: box.dataset.key ?? crypto.randomUUID?.() ?? '', minutes: 0, before: '', began: 0 }
  let beat = 0

  show(form, false)
  if (box.dataset.gone) {
    Object.assign(ride, { minutes: Number(box.dataset.minutes), before: box.dataset.before ?? '', began: Date.now() - box.dataset.gone * 1000 })
    run()
  }
  start?.addEventListener('submit', (event) => {
    event.preventDefault()
    const fields = Object.fromEntries(new FormData(start, event.submitter))
    Object.assign(ride, { key: fields.key ?? ride.key, minutes: Number(fields.minutes), before: fields.before ?? '', began: Date.now() })
    if (start.method === 'post') post(start.action, fields).then((answer) => { form.action = answer?.location ?? '' })
    show(start, false)
    run()
    one('#golf').focus({ preventScroll: true })
  })
  one('[data-wave-stop] button').addEventListener('click', over)
  form?.addEventListener('submit', (event) => {
    event.preventDefault()
    told(event.submitter)
  })

  function run() {
    for (const part of ['clock', 'word', 'stop']) show(one(`[data-wave-${part}]`), true)
    show(one('[data-wave-plain]'), false)
    one('[data-wave-done]').setAttribute('visibility', 'visible')
    step()
  }

  function step() {
    const length = ride.minutes * 60
    const gone = Math.min(length, Math.max(0, (Date.now() - ride.began) / 1000))
    const left = Math.ceil(length - gone)
    put(one('[data-wave-time]'), `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`)
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches
    draw((still && left ? Math.floor(gone / 60) * 60 : gone) / length)
    if (left > 0) beat = setTimeout(step, 1000)
    else over()
  }

  function draw(part) {
    const line = one('[data-wave-line]')
    const at = line.getPointAtLength(line.getTotalLength() * part)
    one('[data-wave-done]').setAttribute('stroke-dasharray', `${(part * 100).toFixed(2)} 100`)
    const dot = one('[data-wave-dot]')
    dot.setAttribute('visibility', 'visible')
    for (const circle of dot.children) { circle.setAttribute('cx', at.x); circle.setAttribute('cy', at.y) }
    const now = part < RISES ? 'up' : part < SINKS ? 'top' : 'down'
    for (const label of all('[data-wave-at]')) {
      const here = label.dataset.waveAt === now
      label.classList.toggle('wlab--now', here)
      put(label, here ? label.dataset.now : label.dataset.else)
    }
    const word = one('[data-wave-word]')
    put(word, word.dataset[now])
  }

  async function over() {
    clearTimeout(beat)
    ride.lasted = Math.min(ride.minutes * 60, Math.round((Date.now() - ride.began) / 1000))
    for (const part of ['stop', 'clock']) show(one(`[data-wave-${part}]`), false)
    const word = one('[data-wave-word]')
    put(word, word.dataset.end)
    if (!form || document.body.dataset.loose === 'kept' && !await signedIn()) return
    show(form, true)
    one('#ging').focus({ preventScroll: true })
    form.scrollIntoView({ block: 'nearest' })
  }

  // Sent where it can be; where it cannot, the numbers are kept here and go along later, without what was written.
  async function told(button) {
    const fields = Object.fromEntries(new FormData(form, button))
    const address = form.getAttribute('action')
    if (address) {
      const answer = await post(address, fields)
      if (answer?.location) return location.assign(answer.location)
      if (answer) return refused(button)
    }
    if (fields.outcome) await keep({ ...ride, after: fields.after, outcome: fields.outcome })
    show(form, false)
    show(one('[data-wave-later]'), Boolean(fields.outcome))
    show(one('[data-wave-text]'), Boolean(fields.helped))
    const thanks = one(`[data-wave-thanks="${fields.outcome || 'none'}"]`)
    show(thanks, true)
    thanks?.firstElementChild.focus()
  }

  // The server has something to say about it: it says so on a page of its own.
  function refused(button) {
    const chosen = document.createElement('input')
    Object.assign(chosen, { type: 'hidden', name: button.name, value: button.value })
    form.append(chosen)
    form.submit()
  }
}
