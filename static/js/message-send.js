// Writing: drafts, what is answered or changed, and sending each message exactly once, also after a lost connection.
import { ask, live } from './live.js'
import { icon, make } from './mark.js'
import { list, page, quote, rowOf, say, short, url, words } from './message-row.js'
import { post } from './quiet.js'

const waiting = new Map() // key -> { key, text, mask_ok, reply_to, row }
const unsent = `unsent:${page.room}:${page.alias}` // the same, without rows, for after a reload: same keys, so stored once
const kept = `draft:${page.room}:${page.alias}` // somebody else on this browser has another alias, and never finds it
export const form = () => document.querySelector('[data-composer]')
export let hooks // { toEnd, head, tell, changed }
// Answering, changing, and agreeing to a mask: fetched when somebody first does it.
const about = (deed, ...what) => import('./message-about.js').then((part) => part[deed](...what)).catch(() => hooks.tell(words().failed))

export function sending(given) {
  hooks = given
  const field = form().elements.text
  const fit = () => { field.rows = Math.min(5, Math.max(1, field.value.split('\n').length)) }
  const there = form().getAttribute('action').match(/bericht\/(\d+)\/wijzig/) // the page came with a change in the field
  if (there) form().dataset.changing = there[1]
  if (!field.value) field.value = sessionStorage.getItem(kept) ?? ''
  else if (!there) sessionStorage.setItem(kept, field.value) // typed before this script came
  field.addEventListener('input', () => { if (!form().dataset.changing) sessionStorage.setItem(kept, field.value); fit() })
  fit()
  field.addEventListener('keydown', (event) => {
    const desk = document.documentElement.classList.contains('desk')
    if (event.key === 'Escape' && !event.defaultPrevented) off()
    if (desk && event.key === 'Enter' && !event.shiftKey && !event.isComposing && !event.defaultPrevented) { event.preventDefault(); form().requestSubmit() }
  })
  field.addEventListener('input', (event) => {
    if (event.data === '@') import('./message-call.js').then((module) => module.call(field, JSON.parse(words().aliases || '[]'))).catch(() => {})
  })
  form().addEventListener('submit', submit)
  form().querySelector('[data-about-off]').addEventListener('click', (event) => { event.preventDefault(); off(); field.focus() })
  for (const entry of JSON.parse(sessionStorage.getItem(unsent) ?? '[]')) place(entry)
  list().addEventListener('submit', (event) => {
    if (event.target.matches('[data-take-back]')) { event.preventDefault(); takeBack(event.target.closest('li')) }
  })
}

// All that got no answer goes out again, with the same keys: nothing is stored twice.
export function resend() {
  for (const entry of waiting.values()) send(entry)
}

// No longer about any other message.
function off() {
  if (form().dataset.changing) return about('none')
  form().elements.reply_to.value = ''
  form().querySelector('[data-about]').hidden = true
}

function submit(event) {
  event.preventDefault()
  const field = form().elements.text
  const text = field.value.trim()
  if (!text) return
  if (form().dataset.changing) return about('change', { seq: Number(form().dataset.changing), text })
  const reply_to = Number(form().elements.reply_to.value) || undefined
  const entry = place({ key: crypto.randomUUID(), text, reply_to })
  field.value = ''
  sessionStorage.removeItem(kept)
  field.dispatchEvent(new Event('input'))
  off()
  hooks.toEnd()
  send(entry)
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

export function keep() {
  const entries = [...waiting.values()].map(({ key, text, mask_ok, reply_to }) => ({ key, text, mask_ok, reply_to }))
  sessionStorage.setItem(unsent, JSON.stringify(entries))
}

export async function send(entry) {
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
  } else if (ack.ok) about('offer', entry, ack.text)
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

export function giveBack(entry) {
  done(entry)
  entry.row.remove()
  const field = form().elements.text
  if (!field.value) { field.value = entry.text; field.dispatchEvent(new Event('input')) }
}
