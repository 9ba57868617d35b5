// Who is here, how they are, and whose hand is up. Rows are made from moulds on the page and stay the nodes they are.
import { all, keyed, one, put, say, show, tell } from './dom.js'
import { mark } from './mark.js'
import { everySecond, minutes } from './session-clock.js'

const list = () => one('[data-roster]')
const since = new Map() // alias -> when their hand went up, by our own clock
let known = null // who had a hand up, or asked for a pause, when we last heard
let working = false // is there something to answer at this step?

everySecond(() => {
  for (const row of all('[data-hands] > li')) put(one('[data-put="waited"]', row), waited(row.dataset.id))
})

export function people(members) {
  const texts = JSON.parse(list().dataset.states)
  say(one('[data-here-count]'), { n: members.filter((m) => m.here).length, m: members.length })
  const bar = one('[data-given-progress]')
  if (bar) bar.max = Math.max(members.length, 1)
  for (const { alias, hand, hand_seconds: seconds } of members) {
    if (hand) since.set(alias, performance.now() - (seconds ?? 0) * 1000)
  }
  news(members)
  keyed(list(), members, (m) => m.alias, () => mould('member'), (row, m) => {
    const state = how(m)
    named(row, m.alias)
    row.dataset.state = state
    put(one('[data-state-text]', row), texts[state][0])
    const sign = one('.st svg', row)
    sign.toggleAttribute('hidden', !texts[state][1])
    if (texts[state][1]) one('use', sign).setAttribute('href', `/s/vendor/icons.svg#${texts[state][1]}`)
    for (const deed of all('[data-when], [data-unless]', row)) {
      const { when, unless } = deed.dataset
      show(deed, (!when || m[when]) && (!unless || !m[unless]))
    }
  })
}

export function hands({ hands: up, step }) {
  working = step.sharing !== null
  put(one('[data-hand-count]'), up.length)
  for (const alias of up) if (!since.has(alias)) since.set(alias, performance.now())
  for (const alias of since.keys()) if (!up.includes(alias)) since.delete(alias)
  keyed(one('[data-hands]'), up, (alias) => alias, () => mould('hand'), (row, alias) => {
    named(row, alias)
    put(one('[data-put="waited"]', row), waited(alias))
  })
  show(one('[data-no-hands]'), !up.length)
}

// The same order as in templates/sessions/cockpit/parts.html.
function how(m) {
  if (m.out) return 'out'
  if (m.speaking) return 'speaking'
  if (m.pause) return 'pause'
  if (m.hand) return 'hand'
  if (!m.here) return m.came ? 'away' : m.excused ? 'excused' : 'none'
  if (m.muted) return 'muted'
  return m.answered ? 'answered' : working ? 'busy' : 'here'
}

function news(members) {
  const now = new Set(members.flatMap((m) => [m.hand && `hand:${m.alias}`, m.pause && `pause:${m.alias}`].filter(Boolean)))
  if (known) for (const one of now) if (!known.has(one)) tell(one.split(':')[0], { name: one.slice(one.indexOf(':') + 1) })
  known = now
}

const mould = (name) => one(`[data-mould="${name}"]`).content.firstElementChild.cloneNode(true)

function named(row, alias) {
  for (const place of all('[data-put="alias"]', row)) put(place, alias)
  for (const field of all('[data-alias-field]', row)) field.value = alias
  const place = one('[data-mark]', row)
  if (!place.firstElementChild) place.append(mark(alias, true))
}

const waited = (alias) => minutes(Math.round((performance.now() - (since.get(alias) ?? performance.now())) / 1000))
