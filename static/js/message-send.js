// Writing: drafts, what is answered or changed, and sending each message exactly once, also after a lost connection.
import { ask, live } from './live.js'
import { icon, make } from './mark.js'
import { list, page, quote, rowOf, say, short, url, words } from './message-row.js'
import { post } from './quiet.js'

const waiting = new Map() // key -> { key, text, mask_ok, reply_to, row }
const unsent = `unsent:${page.room}:${page.alias}` // the same, without rows, for after a reload: same keys, so stored once
const kept = `draft:${page.room}:${page.alias}` // somebody else on this browser has another alias, and never finds it
const form = () => document.querySelector('[data-composer]')
const card = () => document.querySelector('[data-preview]')
let hooks // { toEnd, head, tell }
let changing = null // the number of the message that is being changed, and what stood in the field before
let offered = null // what goes out as soon as its writer agrees to the mask

export function sending(given) {
  hooks = given
  const field = form().elements.text
  const fit = () => { field.rows = Math.min(5, Math.max(1, field.value.split('\n').length)) }
  if (!field.value) field.value = sessionStorage.getItem(kept) ?? ''
  field.addEventListener('input', () => { if (!changing) sessionStorage.setItem(kept, field.value); fit() })
  fit()
  field.addEventListener('keydown', (event) => {
    const desk = document.documentElement.classList.contains('desk')
    if (event.key === 'Escape' && !event.defaultPrevented) about(null)
    if (desk && event.key === 'Enter' && !event.shiftKey && !event.isComposing && !event.defaultPrevented) { event.preventDefault(); form().requestSubmit() }
  })
  field.addEventListener('input', (event) => {
    if (event.data === '@') import('./message-call.js').then((module) => module.call(field, JSON.parse(words().aliases || '[]')))
  })
  form().addEventListener('submit', submit)
  form().querySelector('[data-about-off]').addEventListener('click', (event) => { event.preventDefault(); about(null); field.focus() })
  const there = form().getAttribute('action').match(/bericht\/(\d+)\/wijzig/) // the page came with a change in the field
  if (there) changing = { seq: Number(there[1]), before: '' }
  preview(field)
  for (const entry of JSON.parse(sessionStorage.getItem(unsent) ?? '[]')) place(entry)
  list().addEventListener('submit', (event) => {
    if (event.target.matches('[data-take-back]')) { event.preventDefault(); takeBack(event.target.closest('li')) }
  })
}

// All that got no answer goes out again, with the same keys: nothing is stored twice.
export function resend() {
  for (const entry of waiting.values()) send(entry)
}

// Answer a message, or change one's own; null for neither.
export function about(mode, target) {
  const field = form().elements.text
  if (changing && field.value !== changing.before) { field.value = changing.before; field.dispatchEvent(new Event('input')) }
  const text = target?.querySelector('.msg__text').textContent ?? ''
  changing = mode === 'change' ? { seq: Number(target.dataset.seq), before: field.value } : null
  form().elements.reply_to.value = mode === 'reply' ? target.dataset.seq : ''
  const line = form().querySelector('[data-about]')
  line.hidden = !mode
  line.querySelector('[data-about-who]').textContent = mode === 'change' ? words().changing : target?.dataset.alias ?? ''
  line.querySelector('[data-about-text]').textContent = short(text)
  if (mode === 'change') { field.value = text; field.dispatchEvent(new Event('input')) }
  if (mode) field.focus()
}

function submit(event) {
  event.preventDefault()
  const field = form().elements.text
  const text = field.value.trim()
  if (!text) return
  if (changing) return change({ seq: changing.seq, text })
  const reply_to = Number(form().elements.reply_to.value) || undefined
  const entry = place({ key: crypto.randomUUID(), text, reply_to })
  field.value = ''
  sessionStorage.removeItem(kept)
  field.dispatchEvent(new Event('input'))
  about(null)
  hooks.toEnd()
  send(entry)
}

async function change(wanted) {
  const answer = await post(url(`bericht/${wanted.seq}/wijzig`), { text: wanted.text, ...(wanted.mask_ok ? { mask_ok: '1' } : {}) })
  if (!answer.ok) return hooks.tell(answer.message)
  if (answer.status === 'preview') return offer(wanted, answer.text)
  if (answer.status === 'held') {
    hooks.tell(words().changeHeld)
    const target = rowOf(wanted.seq)
    if (target) say(target, 'wait', words().changeWaits)
  } else hooks.changed({ seq: wanted.seq, status: 'edited', text: answer.text })
  if (answer.crisis) document.querySelector('[data-crisis]').hidden = false
  about(null)
}

function place(entry) {
  const quoted = entry.reply_to && rowOf(entry.reply_to)
  entry.row = make('li', { class: 'msg msg--own msg--waiting', 'data-key': entry.key },
    make('div', { class: 'msg__body' }, quoted ? quote(entry.reply_to, { alias: quoted.dataset.alias, text: short(quoted.querySelector('.msg__text').textContent) }) : null,
      make('p', { class: 'msg__text' }, entry.text)),
    make('div', { class: 'msg__foot' }, make('span', { class: 'msg__state' }, icon('wait'), words().sending)))
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
  const entries = [...waiting.values()].map(({ key, text, mask_ok, reply_to }) => ({ key, text, mask_ok, reply_to }))
  sessionStorage.setItem(unsent, JSON.stringify(entries))
}

async function send(entry) {
  let ack
  try {
    const { key, text, reply_to } = entry
    ack = await ask('message.send', { room: page.room, key, text, mask_ok: Boolean(entry.mask_ok), ...(reply_to ? { reply_to } : {}) })
  } catch { // it stays in `waiting` and goes out with the same key: when the connection is back, or soon where it never went
    if (live().connected) again(entry, 5, words().again)
    return
  }
  if (ack.ok && ack.status === 'posted') {
    entry.seq = ack.seq
    entry.posted = ack.text
    if (ack.seq <= hooks.head()) { entry.row.remove(); done(entry) }
  } else if (ack.ok && ack.status === 'held') {
    done(entry)
    entry.row.classList.add('msg--held')
    say(entry.row, 'wait', words().held)
    const off = make('button', { class: 'textlink', type: 'button' }, words().off)
    off.addEventListener('click', () => takeBack(entry.row))
    entry.row.querySelector('.msg__foot').append(off)
  } else if (ack.ok) offer(entry, ack.text)
  else if (ack.code === 'unavailable' || ack.code === 'rate_limited') again(entry, ack.retry_after ?? 5, ack.message)
  else {
    giveBack(entry)
    hooks.tell(ack.message)
  }
}

function again(entry, seconds, text) {
  say(entry.row, 'wait', text)
  clearTimeout(entry.timer)
  entry.timer = setTimeout(() => { if (waiting.has(entry.key)) send(entry) }, 1000 * seconds)
}

// The room shows one of our own: take away its provisional row.
export function arrived(item) {
  for (const entry of waiting.values()) {
    if (entry.seq === item.seq || entry.posted === item.text || entry.text === item.text) {
      entry.row.remove()
      done(entry)
      return
    }
  }
}

async function takeBack(target) {
  const answer = await post(url('vastgehouden/haal-weg'), { key: target.dataset.key })
  if (!answer.ok) return hooks.tell(answer.message)
  target.remove()
  form().elements.text.focus()
}

function giveBack(entry) {
  done(entry)
  entry.row.remove()
  const field = form().elements.text
  if (!field.value) { field.value = entry.text; field.dispatchEvent(new Event('input')) }
}

function offer(entry, text) {
  offered = entry
  card().querySelector('[data-preview-text]').textContent = text
  card().hidden = false
  if (entry.row) entry.row.hidden = true
  card().querySelector('button').focus()
  hooks.toEnd()
}

function preview(field) {
  card().querySelector('[data-preview-form]').addEventListener('submit', (event) => {
    if (!offered) return // the page came with a preview: let the form go by itself
    event.preventDefault()
    const agreed = offered
    offered = null
    card().hidden = true
    agreed.mask_ok = true
    field.focus()
    if (!agreed.row) return change(agreed)
    keep()
    agreed.row.hidden = false
    send(agreed)
  })
  card().querySelector('[data-preview-edit]').addEventListener('click', (event) => {
    event.preventDefault()
    card().hidden = true
    if (offered?.row) giveBack(offered)
    offered = null
    field.focus()
  })
}
