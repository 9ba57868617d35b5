// A running session: turns everybody's page to the current step, keeps the clock, shows answers, hands and roster.
import { ask, live } from './live.js'
import { icon, make, mark } from './mark.js'
import { post } from './quiet.js'

const page = document.body.dataset
const all = (selector, root = document) => [...root.querySelectorAll(selector)]
let version = -1
let ends = 0
let length = 0

export function session() {
  const socket = live()
  socket.on('session.state', ({ room, session }) => { if (room === page.room) follow(session) })
  socket.on('session.roster', ({ room, members }) => { if (room === page.room) roster(members) })
  document.addEventListener('joined', ({ detail }) => {
    if (detail.session) follow(detail.session)
    else if (page.cockpit === 'open' || (page.session && page.cockpit === undefined)) closed()
    if (detail.roster && detail.session) roster(detail.roster)
  })
  const pane = document.querySelector('[data-step-pane]')
  if (pane) startClock(Number(pane.dataset.seconds), Number(pane.dataset.minutes) * 60)
  setInterval(tick, 1000)
  setInterval(() => ask('session.here', { room: page.room }).catch(() => {}), 25000)
  if (page.cockpit) keys()
}

function follow(state) {
  if (page.cockpit === 'planned') return location.reload()
  if (state.status === 'closed') return closed()
  if (page.session !== state.id) return location.reload()
  if (state.version < version) return // an older word that arrived late
  const moved = state.version !== version
  version = state.version
  for (const field of all('[data-version-field]')) field.value = version
  startClock(state.seconds_left, state.step.minutes * 60)
  turn(state)
  answers(state)
  hands(state)
  const present = document.querySelector('[data-present]')
  if (present) present.textContent = present.dataset.text.replace('{n}', state.present)
  lock(state)
  if (moved) run(state)
  if (moved) document.querySelector('[data-notice]')?.replaceChildren()
}

function turn(state) {
  for (const pane of all('[data-step]')) {
    const here = Number(pane.dataset.position) === state.position
    const heading = pane.querySelector('h1, h2')
    if (pane.hidden === here) pane.hidden = !here
    if (here) heading.id = page.cockpit ? 'stap' : 'stap-nu'
    else heading.removeAttribute('id')
  }
}

function answers(state) {
  const pane = document.querySelector(`[data-step][data-position="${state.position}"]`)
  if (!pane) return
  const { given, shared, tally } = state.answers
  pane.querySelector('[data-shared]').replaceChildren(
    ...shared.map(({ alias, text }) => make('p', { class: 'answer' }, make('b', {}, alias), ` ${text}`)))
  pane.querySelector('[data-tally]').replaceChildren(
    ...(tally ?? []).map(({ text, count }) => make('li', {}, make('span', {}, text),
      make('progress', { max: given, value: count, 'aria-label': text }), make('b', {}, String(count)))))
  const bar = pane.querySelector('[data-given-progress]')
  if (!bar) return
  bar.value = given
  const line = pane.querySelector('[data-given]')
  line.textContent = line.dataset.text.replace('{n}', given).replace('{m}', bar.max)
}

function hands(state) {
  const mine = document.querySelector('form[data-hand]')
  if (mine) {
    const up = state.hands.includes(page.alias)
    mine.elements.up.value = up ? '0' : '1'
    mine.querySelector('button').setAttribute('aria-pressed', String(up))
    const text = mine.querySelector('[data-hand-text]')
    text.textContent = up ? text.dataset.up : text.dataset.down
  }
  const list = document.querySelector('[data-hands]')
  if (!list) return
  document.querySelector('[data-hand-count]').textContent = state.hands.length
  list.replaceChildren(...state.hands.map((alias) => {
    const button = make('button', { class: 'btn btn--small', type: 'button' }, list.dataset.text, make('span', { class: 'vh' }, ` ${alias}`))
    button.addEventListener('click', () => post(list.dataset.action, { alias }))
    return make('li', {}, mark(alias, true), make('strong', {}, alias), button)
  }))
}

function roster(members) {
  const list = document.querySelector('[data-roster]')
  if (!list) return
  const text = list.dataset
  document.querySelector('[data-here-count]').textContent = `${members.filter((m) => m.here).length} / ${members.length}`
  list.replaceChildren(...members.map((m) => {
    const said = m.muted ? [text.muted] : m.hand ? [icon('hand'), text.hand] : m.answered ? [icon('check'), text.done]
      : [m.here ? text.here : m.came ? text.away : text.none]
    const label = m.muted ? text.lift : text.mute
    const button = make('button', { class: 'btn btn--small btn--bare', type: 'button', title: label },
      icon(m.muted ? 'speech' : 'mute'), make('span', { class: 'vh' }, `${label}: ${m.alias}`))
    button.addEventListener('click', () => post(text.action, { alias: m.alias, ...(m.muted ? { lift: '1' } : {}) }))
    return make('li', m.here ? {} : { class: 'away' }, mark(m.alias, true), make('span', {}, m.alias),
      make('span', { class: `st${m.hand ? ' st--hand' : m.answered ? ' st--done' : ''}` }, ...said),
      page.cockpit === 'open' ? button : null)
  }))
}

// The cockpit's run-sheet and its step buttons.
function run(state) {
  for (const line of all('[data-run] > li')) {
    const at = Number(line.dataset.position)
    line.classList.toggle('was', at < state.position)
    line.classList.toggle('is', at === state.position)
    if (at === state.position) line.setAttribute('aria-current', 'step')
    else line.removeAttribute('aria-current')
  }
  const minutes = document.querySelector('[data-minutes-text]')
  if (minutes) minutes.textContent = minutes.dataset.text.replace('{n}', state.step.minutes)
  const steps = document.querySelector('[data-last]')
  if (!steps) return
  const last = Number(steps.dataset.last)
  const back = steps.querySelector('[data-back]')
  const forward = steps.querySelector('[data-forward]')
  back.hidden = state.position === 0
  forward.hidden = state.position >= last
  back.querySelector('[data-position-field]').value = Math.max(0, state.position - 1)
  forward.querySelector('[data-position-field]').value = Math.min(last, state.position + 1)
  const title = document.querySelector(`[data-run] > li[data-position="${Math.min(last, state.position + 1)}"] [data-title]`)
  const label = forward.querySelector('[data-label]')
  label.textContent = `${label.textContent.split(':')[0]}: ${title.textContent}`
}

function lock(state) {
  const field = document.querySelector('[data-composer] textarea')
  if (!page.cockpit && field) field.placeholder = state.only_staff_writes ? field.dataset.locked : field.dataset.open
  const box = document.querySelector('[data-lock]')
  if (!box) return
  box.querySelector('[name="locked"]').value = state.only_staff_writes ? '0' : '1'
  box.querySelector('[data-label]').textContent = state.only_staff_writes ? box.dataset.on : box.dataset.off
}

function closed() {
  if (page.cockpit) return location.reload()
  for (const pane of all('[data-step]')) pane.hidden = true
  document.querySelector('[data-step-closed]').hidden = false
  document.querySelector('form[data-hand]')?.remove()
  const present = document.querySelector('[data-present]')
  if (present) present.textContent = ''
}

function startClock(seconds, of) {
  ends = performance.now() + seconds * 1000 // our own clock may be wrong; how long it still lasts is not
  length = of
  tick()
}

function tick() {
  const left = Math.max(0, Math.round((ends - performance.now()) / 1000))
  const text = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`
  for (const timer of all('[data-timer]')) timer.textContent = timer.dataset.text.replace('{t}', text)
  const bar = document.querySelector('[data-step-progress]')
  if (bar) { bar.max = length; bar.value = length - left }
}

function keys() {
  const sheet = document.querySelector('[data-sheet]')
  const opener = document.querySelector('[data-help-sheet]')
  if (opener) { opener.hidden = false; opener.addEventListener('click', () => sheet.showModal()) }
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, dialog')) return
    if (event.key === '?' && opener) return sheet.showModal()
    const button = all('[data-key]').find((b) => b.dataset.key === event.key.toLowerCase() && b.offsetParent)
    if (button) { event.preventDefault(); button.click() }
  })
}
