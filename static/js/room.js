// A room: shows messages in order, fills gaps after a lost connection, and hands the rest to the message-* modules.
import { ask, live } from './live.js'
import { icon, make } from './mark.js'
import { change, list, page, react, row, rowOf, vanish, words } from './message-row.js'
import { came, earlier, scrolling, toEnd } from './message-scroll.js'
import { arrived, resend, sending } from './message-send.js'

const AGAIN = 100 // messages that are asked anew after a lost connection: they may have changed meanwhile
let head = Number([...list().querySelectorAll('[data-seq]')].at(-1)?.dataset.seq ?? page.head)
let joined = false
let before = false

export function room() {
  const socket = live()
  socket.on('connect', join)
  socket.on('disconnect', lost)
  addEventListener('offline', lost)
  addEventListener('online', () => { if (socket.connected) join() })
  socket.on('messages', ({ room, items }) => { if (room === page.room) take(items) })
  socket.on('message.changed', changed)
  socket.on('message.reactions', ({ room, seq, reactions }) => {
    const target = room === page.room && rowOf(seq)
    if (target) react(target, reactions)
  })
  socket.on('notice', notice)
  socket.on('session.state', ({ room, session }) => { if (room === page.room) begin(session) })
  sending({ toEnd, tell, head: () => head, changed: change })
  scrolling(() => head)
  actions()
  lost()
  if (socket.connected) join() // another module was faster, and the connection stood before we listened
}

async function join() {
  try {
    const ack = await ask('room.join', { room: page.room, after: head })
    if (!ack.ok) return tell(ack.message)
    joined = true
    document.body.dataset.joined = 'yes'
    document.querySelector('[data-offline]').hidden = true
    show(ack.items)
    if (ack.head > head) await catchUp(ack.head)
    if (before) await renew()
    before = true
    document.dispatchEvent(new CustomEvent('joined', { detail: ack }))
    begin(ack.session)
    resend()
  } catch { setTimeout(join, 2000) }
}

// Who waits in the room comes along when the session opens. What they were typing is kept as a draft.
function begin(session) {
  if (page.session === '' && session?.status === 'open' && document.querySelector('[data-follows]')) location.reload()
}

let offline
function lost() {
  joined = false
  clearTimeout(offline)
  offline = setTimeout(() => { if (!joined) document.querySelector('[data-offline]').hidden = false }, 2000)
}

async function take(items) {
  if (items.length && items[0].seq > head + 1) await catchUp(items[0].seq - 1)
  show(items)
}

async function catchUp(until) {
  while (head < until) {
    const ack = await ask('room.sync', { room: page.room, after: head })
    if (!ack.ok || !ack.items.length) return
    show(ack.items)
  }
}

// What changed while nothing came through: the rows we show are compared with how they are now.
async function renew() {
  const first = Number(list().querySelector('[data-seq]')?.dataset.seq ?? head)
  const ack = await ask('room.sync', { room: page.room, after: Math.max(first - 1, head - AGAIN), limit: AGAIN })
  for (const item of ack.ok ? ack.items : []) {
    const [old, now] = [rowOf(item.seq), row(item)]
    if (!old || (now && said(old) === said(now))) continue // read aloud again only what is new
    if (!now) vanish(old)
    else if (old.contains(document.activeElement)) change({ ...item, status: item.status === 'posted' ? 'edited' : item.status })
    else old.replaceWith(now)
  }
}

const said = (target) => target.textContent.replace(/\s/g, '')

function show(items) {
  const rows = []
  let mine = false
  for (const item of items) {
    if (item.seq <= head) continue
    head = item.seq
    document.querySelector('[data-empty]')?.remove()
    if (item.alias === page.alias) { arrived(item); mine = true }
    const made = row(item)
    if (!made) continue
    list().append(made)
    rows.push(made)
  }
  came(rows, mine)
}

async function changed({ room, ...what }) {
  if (room !== page.room) return
  const target = rowOf(what.seq)
  if (what.status !== 'posted' || !target) return change(what)
  const ack = await ask('room.sync', { room, after: what.seq - 1, limit: 1 }) // it stands there again
  const now = ack.ok && ack.items[0]?.seq === what.seq && row(ack.items[0])
  if (now) target.replaceWith(now)
}

// The panel at a message: by its button, or by a touch on the message itself. Fetched when somebody first opens it.
function actions() {
  const opened = document.querySelector('[data-actions]:not([hidden])') // the page was asked for with it
  list().addEventListener('click', (event) => {
    const link = event.target.closest('[data-more]')
    const quoted = event.target.closest('[data-quotes]')
    const body = matchMedia('(pointer: coarse)').matches && !getSelection().toString() && event.target.closest('.msg__body')
    const target = event.target.closest('[data-seq]')
    if (quoted) { event.preventDefault(); original(quoted.dataset.quotes) }
    else if ((link || body) && target?.querySelector('[data-more]')) { event.preventDefault(); choose(target) }
  })
  const target = opened && rowOf(new URLSearchParams(location.search).get('bericht'))
  if (target) choose(target)
}

let menu
async function choose(target) {
  const link = target.querySelector('[data-more]')
  try {
    menu ??= import('./message-menu.js').then((part) => { part.menu(tell); return part })
    const { open } = await menu
    if (target.isConnected) open(target, link)
  } catch { // no connection just now, or a page from before an update
    menu = null
    if (navigator.onLine) return location.assign(link.href)
    document.querySelector('[data-offline]').hidden = false
    toEnd()
  }
}

// Go to the message that is quoted, loading what was said before until it is there.
async function original(seq) {
  while (!rowOf(seq) && await earlier()) { /* further back */ }
  const target = rowOf(seq)
  target?.scrollIntoView({ block: 'center' })
  target?.querySelector('[data-more]')?.focus({ preventScroll: true })
}

function notice({ kind, room, key, edit }) {
  if (room && room !== page.room) return
  if (kind === 'crisis') document.querySelector('[data-crisis]').hidden = false
  else if (edit) tell(words()[kind === 'released' ? 'changeReleased' : 'changeRejected'])
  else if (kind === 'released' || kind === 'rejected') {
    list().querySelector(`.msg--held[data-key="${CSS.escape(key ?? '')}"]`)?.remove()
    tell(words()[kind])
  } else if (kind === 'held') tell(words().noticeHeld)
  else if (kind === 'mention' && room) tell(words().mention)
  else if (kind === 'muted' || kind === 'unmuted' || kind === 'word') tell(words()[kind])
  if (kind === 'crisis') toEnd()
}

function tell(text) {
  document.querySelector('[data-notice]').replaceChildren(make('p', { class: 'note notice' }, icon('speech'), make('span', {}, text)))
}
