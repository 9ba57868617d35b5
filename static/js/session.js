// A running session on a page: hears where everybody is and passes it on, in order, to the parts of this page.
import { all, one, show, tell } from './dom.js'
import { ask, live } from './live.js'
import { run, startClocks, stop } from './session-clock.js'
import * as step from './session-step.js'

const page = document.body.dataset
const parts = [step]
const breath = () => (breathing ??= import('./breath.js')) // fetched when somebody first breathes
let breathing = null
let version = Number(one('[data-step-pane]')?.dataset.version ?? -1)
let paused = Boolean(one('[data-paused]:not([hidden])'))
let last = null // what was heard last, for a part that is still on its way
let there = null

export function session() {
  const socket = live()
  socket.on('session.state', ({ room, session }) => { if (room === page.room) follow(session) })
  socket.on('session.roster', ({ room, members }) => { if (room === page.room) people(members) })
  document.addEventListener('joined', ({ detail }) => {
    if (detail.session) follow(detail.session)
    else if (page.cockpit === 'open' || page.cockpit === undefined) closed()
    if (detail.roster && detail.session) people(detail.roster)
  })
  import(page.cockpit === undefined ? './session-mine.js' : './cockpit.js').then((part) => {
    part.start()
    parts.push(part)
    if (last) part.follow(last)
    if (there) part.people?.(there)
  })
  begin()
  startClocks()
  setInterval(() => ask('session.here', { room: page.room }).catch(() => {}), 25000)
}

// The clocks start from what the page says, before anything was heard.
function begin() {
  const pane = one('[data-step-pane][data-seconds]')
  if (!pane) return
  run('step', Number(pane.dataset.seconds), Number(pane.dataset.minutes) * 60, pane.dataset.still !== undefined)
  if (pane.dataset.breakoutSeconds) run('breakout', Number(pane.dataset.breakoutSeconds))
  if (one('[data-pulse][data-is]')) breath().then((pulse) => pulse.begin())
}

function follow(state) {
  if (page.cockpit === 'planned') return location.reload()
  if (state.status === 'closed') return closed(state)
  if (page.session !== state.id) return location.reload()
  if (state.version < version) return // an older word that arrived late
  version = state.version
  last = state
  for (const field of all('[data-version-field]')) field.value = version
  run('step', state.seconds_left, state.step.minutes * 60, state.paused)
  if (state.breakout) run('breakout', state.breakout.seconds_left)
  else stop('breakout')
  for (const banner of all('[data-paused]')) show(banner, state.paused)
  if (paused !== state.paused) tell(state.paused ? 'paused' : 'resumed')
  paused = state.paused
  for (const part of parts) part.follow(state)
  if (state.pulse || breathing) breath().then((pulse) => pulse.follow(state))
}

function people(members) {
  there = members
  for (const part of parts) part.people?.(members)
}

function closed(state) {
  if (page.cockpit) return location.reload()
  stop('step')
  show(one('[data-step-closed]'), true)
  for (const gone of all('[data-while-open], [data-panes], [data-pulse]')) show(gone, false)
  const present = one('[data-present]')
  if (present) present.textContent = ''
  tell('closed')
  for (const part of parts) part.closed?.(state)
}
