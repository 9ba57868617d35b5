// What is a member's own in a session: their hand, their turn, their quiet wish for a pause, a private word, the last questions.
import { all, one, put, say, show, tell } from './dom.js'
import { live } from './live.js'
import { icon, make } from './mark.js'
import { post } from './quiet.js'

const page = document.body.dataset
const refresh = () => import('./merge.js').then((merge) => merge.refresh())
let apart = one('[data-step-pane]').dataset.breakoutSeconds !== undefined // so it was when this page was made

export function start() {
  live().on('notice', notice)
  document.addEventListener('answered', ({ target, detail }) => {
    if (target.matches('[data-answer]') && detail.ok) refresh() // one's own answer, as it was kept
    else if (target.matches('[data-ask-pause]') && detail.ok) signalled(target)
    else if (target.matches('[data-closing-form]') && detail.ok) thanked()
    else if (target.matches('[data-whisper-form]')) whispered(target, detail)
  })
  one('[data-whisper]')?.addEventListener('toggle', ({ target }) => {
    if (!target.open) return
    if (!one('[data-whisper-new]').hidden) post(target.dataset.read, {})
    show(one('[data-whisper-new]'), false)
    one('textarea', target).focus()
  })
  document.addEventListener('keydown', ({ key }) => {
    const box = one('[data-whisper][open]')
    if (key === 'Escape' && box) { box.open = false; one('summary', box).focus() }
  })
}

export function follow(state) {
  say(one('[data-present]'), { n: state.present })
  const field = one('[data-composer] textarea')
  if (field) field.placeholder = state.only_staff_writes ? field.dataset.locked : field.dataset.open
  hand(state)
  round(state.round)
  aside(state.breakout)
  if (state.closing) ask()
}

// The group went out in twos: loading the page again leads to one's own room, or stays here for who came in later. What
// was being typed is kept.
function aside(breakout) {
  show(one('[data-apart]'), Boolean(breakout))
  if (breakout && !apart && one('[data-apart-go]')) location.reload()
  apart = Boolean(breakout)
}

export function closed() {
  ask()
}

function hand({ hands }) {
  const form = one('form[data-hand]')
  if (!form) return
  const up = hands.includes(page.alias)
  form.elements.up.value = up ? '0' : '1'
  one('button', form).setAttribute('aria-pressed', String(up))
  const text = one('[data-hand-text]', form)
  put(text, up ? text.dataset.up : text.dataset.down)
}

function round(now) {
  const strip = one('[data-round]')
  const mine = now?.speaking === page.alias
  show(one('[data-round-mine]'), mine)
  show(one('[data-round-others]'), !mine)
  strip.toggleAttribute('data-mine', mine)
  if (now) {
    say(one('[data-round-speaking]'), { name: now.speaking }, now.speaking ? 'text' : 'none')
    const next = one('[data-round-next]')
    if (now.next.length) say(next, { names: now.next.slice(0, 3).map((n) => n === page.alias ? next.dataset.you : n).join(', ') })
    else put(next, '')
  }
  show(strip, Boolean(now))
}

function signalled(form) {
  const button = one('button', form)
  const on = form.elements.on.value === '1'
  form.elements.on.value = on ? '0' : '1'
  button.setAttribute('aria-pressed', String(on))
  if (on) tellMe('signalled')
}

function ask() {
  const box = one('[data-closing]')
  if (box && box.dataset.answered === undefined) show(box, true)
}

function thanked() {
  one('[data-closing]').dataset.answered = ''
  show(one('[data-closing-thanks]'), true)
  show(one('[data-closing]'), false)
}

function whispered(form, { ok, status, text, crisis, location: help }) {
  if (ok && crisis) return location.assign(help)
  const masked = ok && status === 'preview'
  const button = one('[data-sends]', form)
  show(one('[data-mask-preview]', form), masked)
  one('[data-mask-ok]', form).disabled = !masked
  put(button, masked ? button.dataset.masks : button.dataset.sends)
  if (masked) put(one('[data-mask-text]', form), text)
  if (!ok || masked) return
  form.elements.text.value = ''
  form.elements.key.value = crypto.randomUUID()
  put(one('[data-saved]', form), one('[data-saved]', form).dataset.done)
  refresh()
}

function notice({ kind, room }) {
  if (kind === 'breakout') location.assign(`/ruimte/${room}`)
  else if (kind === 'out') location.reload()
  else if (kind === 'turn') { tell('turn'); one('[data-step-pane]').scrollTop = 0 } // the strip on top says it, with the two buttons
  else if (kind === 'note') {
    const box = one('[data-whisper]')
    refresh()
    if (box?.open) post(box.dataset.read, {}) // it is looked at as it comes
    else { show(one('[data-whisper-new]'), true); tellMe('note') }
  }
}

function tellMe(name) {
  one('[data-notice]').replaceChildren(make('p', { class: 'note notice' }, icon('speech'),
    make('span', {}, one('[data-session-words]').dataset[name])))
  for (const box of all('.talk')) box.scrollTop = box.scrollHeight
}
