// A room: shows messages in order, sends what is written exactly once, fills gaps after a lost connection.
import { ask, live } from './live.js'
import { icon, make, mark } from './mark.js'

const page = document.body.dataset
const words = () => document.querySelector('[data-words]').dataset
const list = () => document.querySelector('[data-messages]')
const waiting = new Map() // key -> { key, text, mask_ok, row }
const unsent = `unsent:${page.room}` // the same, without rows, for after a reload: same keys, so stored once
let head = Number(page.head)
let joined = false

export function room() {
  const socket = live()
  socket.on('connect', join)
  socket.on('disconnect', lost)
  socket.on('messages', ({ room, items }) => { if (room === page.room) take(items) })
  socket.on('message.changed', change)
  socket.on('notice', notice)
  socket.on('session.state', ({ room, session }) => { if (room === page.room) begin(session) })
  compose()
  for (const entry of JSON.parse(sessionStorage.getItem(unsent) ?? '[]')) place(entry)
  stayAtEnd()
  setTimeout(() => { if (!joined) lost() }, 2000)
}

async function join() {
  try {
    const ack = await ask('room.join', { room: page.room, after: head })
    if (!ack.ok) return say(ack.message)
    joined = true
    document.querySelector('[data-offline]').hidden = true
    show(ack.items)
    if (ack.head > head) await catchUp(ack.head)
    document.dispatchEvent(new CustomEvent('joined', { detail: ack }))
    begin(ack.session)
    for (const entry of waiting.values()) send(entry) // the same keys again: nothing is stored twice
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

function show(items) {
  const near = atEnd
  for (const item of items) {
    if (item.seq <= head) continue
    head = item.seq
    document.querySelector('[data-empty]')?.remove()
    list().append(row(item))
  }
  if (near) toEnd()
  if (items.length && document.visibilityState === 'visible') ask('room.read', { room: page.room, seq: head }).catch(() => {})
}

function row(item) {
  const own = item.alias === page.alias
  const lead = item.role === 'facilitator'
  const text = make('p', { class: 'msg__text' }, item.status === 'posted' ? item.text : words().gone)
  const time = clock(item.at)
  if (own) {
    drop(item)
    return make('li', { class: 'msg msg--own', 'data-seq': item.seq },
      make('div', { class: 'msg__body' }, make('span', { class: 'vh' }, `${words().own}, `), text),
      make('span', { class: 'msg__state' }, icon('check'), `${words().placed} ${time}`))
  }
  const top = make('p', { class: 'msg__head' }, make('b', {}, item.alias),
    lead ? make('span', { class: 'msg__role' }, words().lead) : null, make('time', { datetime: item.at }, time))
  return make('li', { class: `msg${lead ? ' msg--lead' : ''}`, 'data-seq': item.seq },
    mark(item.alias), make('div', { class: 'msg__body' }, top, text))
}

// Take away the provisional row of one of our own messages: the room now shows the real one.
function drop(item) {
  for (const entry of waiting.values()) {
    if (entry.seq === item.seq || entry.posted === item.text || entry.text === item.text) {
      entry.row.remove()
      done(entry)
      return
    }
  }
}

function change({ room, seq, status, text }) {
  if (room !== page.room) return
  const target = list().querySelector(`[data-seq="${Number(seq)}"] .msg__text`)
  if (target) target.textContent = status === 'hidden' || status === 'withdrawn' ? words().gone : text ?? target.textContent
}

function compose() {
  const form = document.querySelector('[data-composer]')
  const field = form.elements.text
  const kept = `draft:${page.room}`
  if (!field.value) field.value = sessionStorage.getItem(kept) ?? ''
  const fit = () => { field.rows = Math.min(5, Math.max(1, field.value.split('\n').length)) }
  field.addEventListener('input', () => { sessionStorage.setItem(kept, field.value); fit() })
  fit()
  field.addEventListener('keydown', (event) => {
    const desk = document.documentElement.classList.contains('desk')
    if (desk && event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit() }
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const text = field.value.trim()
    if (!text) return
    const entry = place({ key: crypto.randomUUID(), text })
    field.value = ''
    sessionStorage.removeItem(kept)
    fit()
    toEnd()
    send(entry)
  })
  preview(field, kept)
}

function place(entry) {
  entry.row = provisional(entry.text)
  waiting.set(entry.key, entry)
  list().append(entry.row)
  document.querySelector('[data-empty]')?.remove()
  keep()
  return entry
}

function done(entry) {
  waiting.delete(entry.key)
  keep()
}

function keep() {
  const entries = [...waiting.values()].map(({ key, text, mask_ok }) => ({ key, text, mask_ok }))
  sessionStorage.setItem(unsent, JSON.stringify(entries))
}

function provisional(text) {
  return make('li', { class: 'msg msg--own msg--waiting' },
    make('div', { class: 'msg__body' }, make('p', { class: 'msg__text' }, text)),
    make('span', { class: 'msg__state' }, icon('wait'), words().sending))
}

async function send(entry) {
  let ack
  try {
    ack = await ask('message.send', { room: page.room, key: entry.key, text: entry.text, mask_ok: Boolean(entry.mask_ok) })
  } catch { return } // no connection: it stays in `waiting` and goes out with the same key
  if (ack.ok && ack.status === 'posted') {
    entry.seq = ack.seq
    entry.posted = ack.text
    if (ack.seq <= head) { entry.row.remove(); done(entry) }
  } else if (ack.ok && ack.status === 'held') {
    done(entry)
    entry.row.classList.add('msg--held')
    state(entry.row, 'wait', words().held)
  } else if (ack.ok) {
    offer(entry, ack.text)
  } else if (ack.code === 'unavailable' || ack.code === 'rate_limited') {
    setTimeout(() => { if (waiting.has(entry.key)) send(entry) }, 1000 * (ack.retry_after ?? 5))
    state(entry.row, 'wait', ack.message)
  } else {
    giveBack(entry)
    say(ack.message)
  }
}

function state(row, sign, text) {
  row.querySelector('.msg__state').replaceChildren(icon(sign), text)
}

function giveBack(entry) {
  done(entry)
  entry.row.remove()
  const field = document.querySelector('[data-composer]').elements.text
  if (!field.value) { field.value = entry.text; field.dispatchEvent(new Event('input')) }
}

let offered = null
function offer(entry, text) {
  offered = entry
  const card = document.querySelector('[data-preview]')
  card.querySelector('[data-preview-text]').textContent = text
  card.hidden = false
  entry.row.hidden = true
  card.querySelector('button').focus()
  toEnd()
}

function preview(field, kept) {
  const card = document.querySelector('[data-preview]')
  card.querySelector('[data-preview-form]').addEventListener('submit', (event) => {
    if (!offered) return // the page came with a preview: let the form go by itself
    event.preventDefault()
    card.hidden = true
    offered.mask_ok = true
    keep()
    offered.row.hidden = false
    send(offered)
    offered = null
    field.focus()
  })
  card.querySelector('[data-preview-edit]').addEventListener('click', (event) => {
    event.preventDefault()
    card.hidden = true
    if (offered) giveBack(offered)
    offered = null
    sessionStorage.setItem(kept, field.value)
    field.focus()
  })
}

function notice({ kind, room, key }) {
  if (room && room !== page.room) return
  if (kind === 'crisis') document.querySelector('[data-crisis]').hidden = false
  else if (kind === 'released' || kind === 'rejected') {
    list().querySelector(`.msg--held[data-key="${CSS.escape(key ?? '')}"]`)?.remove()
    for (const held of list().querySelectorAll('.msg--held:not([data-key])')) held.remove()
    say(words()[kind])
  } else if (kind === 'held') say(words().noticeHeld)
  else if (kind === 'muted' || kind === 'unmuted' || kind === 'word') say(words()[kind])
  if (kind !== 'case') toEnd()
}

function say(text) {
  document.querySelector('[data-notice]').replaceChildren(make('p', { class: 'note notice' }, icon('speech'), make('span', {}, text)))
}

function clock(at) {
  const text = new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit', hour12: false })
  return document.documentElement.lang === 'nl' ? text.replace(':', '.') : text
}

const scroller = () => document.querySelector('.talk')
let atEnd = true
function stayAtEnd() {
  const box = scroller()
  box.addEventListener('scroll', () => { atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 120 })
  new ResizeObserver(() => { if (atEnd) toEnd() }).observe(box) // a taller step must not hide the last words
  toEnd()
}
function toEnd() {
  const box = scroller()
  box.scrollTop = box.scrollHeight
}
