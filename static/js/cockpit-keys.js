// The cockpit by keyboard. Which key does what is read from the help sheet, so that the two cannot differ.
import { all, one } from './dom.js'

const ROWS = '[data-roster] > li, [data-hands] > li, [data-held] > li, [data-threads] > li'
const CONTROLS = 'a, button, summary'

export function keys() {
  const sheet = one('[data-sheet]')
  const names = new Map(all('[data-key]', sheet).map((row) => [row.dataset.key.toLowerCase(), row.dataset.for]))
  const opener = one('[data-sheet-opener]')
  if (opener) { opener.hidden = false; opener.addEventListener('click', () => sheet.showModal()) }
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') return escape()
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target) || sheet.open) return
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') return along(event)
    const name = names.get(event.key === '=' ? '+' : event.key.toLowerCase())
    if (name && reach(name)) event.preventDefault()
  })
}

const typing = (target) => target.closest('textarea, select, input:not([type="radio"], [type="checkbox"]), [contenteditable]')

function reach(name) {
  const target = all(`[data-does="${name}"]`).find((control) => control.checkVisibility())
  if (!target) return false
  if (target.matches('summary')) open(target)
  else if (target.matches('h2')) (first(target.closest('section')) ?? target).focus()
  else if (target.matches('textarea')) target.focus()
  else if (target.matches('div')) one('textarea', target).focus()
  else target.click()
  return true
}

function open(summary) {
  const box = summary.parentElement
  box.open = !box.open
  const field = box.open && all('input:not([type="hidden"], [type="radio"]:not(:checked)), select, textarea, button', box).find((f) => f.checkVisibility())
  ;(field || summary).focus()
}

const first = (section) => all(':is(ul, ol) > li :is(a, button, summary)', section).find((control) => control.checkVisibility())

// From row to row, on the control one is at.
function along(event) {
  const row = event.target.closest(ROWS)
  const next = event.key === 'ArrowDown' ? row?.nextElementSibling : row?.previousElementSibling
  const control = next && all(CONTROLS, next).find((c) => c.checkVisibility())
  if (!control) return
  event.preventDefault()
  control.focus()
}

function escape() {
  const pop = document.activeElement.closest('[data-pop][open]') ?? one('[data-pop][open]')
  if (pop) { pop.open = false; one('summary', pop).focus() }
  else if (typing(document.activeElement)) document.activeElement.blur()
}
