// The cockpit: the bar, the run-sheet, what runs beside the step, and which control is there now.
import { all, one, put, say, show, tell } from './dom.js'
import { held } from './cockpit-held.js'
import { keys } from './cockpit-keys.js'
import { hands, people as roster } from './cockpit-people.js'
import { live } from './live.js'
import { refresh } from './merge.js'
import { post } from './quiet.js'
import { everySecond, left } from './session-clock.js'

const page = document.body.dataset
const began = performance.now()
let version = Number(one('[data-step-pane]')?.dataset.version)
let state = null

export function start() {
  keys()
  held()
  pops()
  questions()
  freshKeys()
  live().on('notice', ({ kind }) => { if (kind === 'case') { tell('held'); refresh() } })
  live().on('session.notes', ({ room, alias, unread }) => {
    if (room !== page.room) return
    if (unread) tell('note', { name: alias })
    refresh()
  })
  document.addEventListener('merged', counts)
  document.addEventListener('answered', ({ target, detail }) => {
    if (!detail.ok) return
    if (target.matches('[data-empties]')) { target.elements.text.value = ''; refresh() }
    freshKeys()
  })
  document.addEventListener('toggle', ({ target }) => {
    if (!target.matches('[data-thread]') || !target.open || !one('.badge', target)) return
    post(target.dataset.read, { alias: target.closest('li').dataset.id })
  }, true)
  everySecond(pace)
}

export { roster as people }

export function follow(now) {
  const moved = now.version !== version
  version = now.version
  state = now
  if (moved) refresh() // the run-sheet may have changed, or its words
  bar(now)
  run(now)
  steps(now)
  tally(now)
  strips(now)
  hands(now)
}

function bar({ paused, step, only_staff_writes: locked }) {
  say(one('[data-minutes-text]'), { n: step.minutes })
  turn(one('[data-pause-control]'), 'on', paused)
  turn(one('[data-lock]'), 'locked', locked)
  pace()
}

// A control that goes to and fro: its label says what pressing it does, its field carries it.
function turn(box, field, is) {
  one(`[name="${field}"]`, box).value = is ? '0' : '1'
  put(one('[data-label]', box), is ? box.dataset.on : box.dataset.off)
  one('button', box).classList.toggle('is-on', is)
}

function run({ position }) {
  for (const line of all('[data-run] > li')) {
    const at = Number(line.dataset.position)
    line.className = at < position ? 'was' : at === position ? 'is' : ''
    if (at === position) line.setAttribute('aria-current', 'step')
    else line.removeAttribute('aria-current')
    const was = one('[data-was]', line)
    put(was, at < position ? was.dataset.text : '')
  }
}

function steps({ position, count }) {
  const back = one('[data-back]')
  const forward = one('[data-forward]')
  const last = position >= count - 1
  one('[name="position"]', back).value = Math.max(0, position - 1)
  one('[name="position"]', forward).value = Math.min(count - 1, position + 1)
  const next = one(`[data-run] > li[data-position="${position + 1}"] [data-title]`)
  const label = one('[data-label]', forward)
  if (next) put(label, `${label.textContent.split(':')[0]}: ${next.textContent}`)
  show(back, position > 0)
  show(forward, !last)
  show(one('[data-at-end]'), last)
}

function tally({ answers: { given, few, revealed }, step: { sharing } }) {
  const bar = one('[data-given-progress]')
  const own = sharing === 'private'
  bar.value = given
  say(one('[data-given]'), { n: given, m: bar.max })
  say(one('[data-few]'), { n: few })
  show(one('[data-few]'), few > 0 && !revealed)
  show(one('[data-unrevealed]'), !revealed && !few && !own)
  show(one('[data-revealed]'), revealed)
  show(one('[data-private]'), own)
  show(one('[data-answering].tally'), sharing !== null)
}

function strips({ round, pulse, breakout }) {
  if (round) {
    say(one('[data-round-speaking]'), { name: round.speaking }, round.speaking ? 'text' : 'none')
    if (round.next.length) say(one('[data-round-next]'), { names: round.next.slice(0, 3).join(', ') })
    else put(one('[data-round-next]'), '')
    say(one('[data-round-count]'), { n: round.spoken, m: round.passed })
  }
  const names = one('[data-pulse-strip]').dataset
  if (pulse) put(one('[data-pulse-name]'), pulse.kind === 'wave' ? names.isWave : names.isBreath)
  if (breakout) say(one('[data-apart-rooms]'), { n: breakout.rooms })
  for (const [strip, tool, is] of [
    ['[data-round]', '[data-unless-round]', round], ['[data-pulse-strip]', '[data-unless-pulse]', pulse],
    ['[data-apart]', '[data-unless-apart]', breakout]]) {
    show(one(strip), Boolean(is))
    show(one(tool), !is)
  }
}

// How what is still to come fits in the time there is.
function pace() {
  const place = one('[data-pace]')
  const open = one('[data-open-minutes]')
  if (!place || !open) return
  const gone = Number(open.dataset.seconds) + (performance.now() - began) / 1000
  say(open, { n: Math.floor(gone / 60) })
  if (!state) return
  const lines = all('[data-run] > li')
  const at = lines.findIndex((line) => line.matches('.is'))
  const later = lines.slice(at + 1).reduce((sum, line) => sum + Number(line.dataset.minutes), 0)
  const toGo = Math.max(0, Number(place.dataset.length) - Math.floor(gone / 60))
  const ahead = toGo - later - Math.round(left('step') / 60)
  say(place, { n: toGo, m: Math.abs(ahead) }, ahead === 0 ? 'onTime' : ahead > 0 ? 'early' : 'late')
}

function counts() {
  if (state) { run(state); steps(state) }
  const unread = all('.thread .badge').reduce((sum, badge) => sum + Number.parseInt(badge.textContent, 10), 0)
  const badge = one('[data-note-count]')
  put(badge, unread)
  show(badge, unread > 0)
}

// Small windows: one at a time, shut by a click beside them or when what they asked was done.
function pops() {
  document.addEventListener('toggle', ({ target }) => {
    if (!target.matches('[data-pop]') || !target.open) return
    place(target)
    for (const other of all('[data-pop][open]')) if (other !== target && !other.contains(target)) other.open = false
  }, true)
  document.addEventListener('click', ({ target }) => {
    for (const pop of all('[data-pop][open]')) if (!pop.contains(target)) pop.open = false
  })
  document.addEventListener('answered', ({ target, detail }) => {
    const pop = detail.ok && target.matches('[data-shuts]') && target.closest('[data-pop]')
    if (!pop) return
    if (pop.contains(document.activeElement)) one('summary', pop).focus()
    pop.open = false
  })
}

// Under its button, above it where there is no room, and never out of sight.
function place(pop) {
  delete pop.dataset.up
  const window = one('.pop__in', pop)
  const { bottom, height } = window.getBoundingClientRect()
  if (bottom > innerHeight && one('summary', pop).getBoundingClientRect().top > height + 60 && !pop.matches('.menu')) pop.dataset.up = ''
  window.scrollIntoView({ block: 'nearest' })
}

// A quick question asks only for what its kind needs.
function questions() {
  const form = one('[data-for-kind]')?.closest('form')
  const set = () => { for (const part of all('[data-for-kind]', form)) part.hidden = !part.dataset.forKind.includes(form.elements.kind.value) }
  form?.addEventListener('change', set)
  if (form) set()
}

// Every note has a key of its own, so that one that is sent twice is stored once.
function freshKeys() {
  for (const field of all('[data-fresh-key]')) field.value = crypto.randomUUID()
}
