// Calling somebody by name: after an @ the names of the room, for keys and for thumbs.
import { make } from './mark.js'
import { list, page, words } from './message-row.js'

const MOST = 5
let box

// Starts at the first @; from then on it listens by itself.
export function call(field, aliases) {
  if (box) return
  box = make('ul', { class: 'calls', id: 'noemen', role: 'listbox', 'aria-label': words().call })
  box.hidden = true
  field.before(box)
  field.setAttribute('aria-controls', 'noemen')
  field.setAttribute('aria-autocomplete', 'list')
  const look = () => offer(field, aliases)
  field.addEventListener('input', look)
  field.addEventListener('blur', () => setTimeout(close, 150, field))
  field.addEventListener('keydown', (event) => {
    if (box.hidden) return
    const at = [...box.children].findIndex((option) => option.ariaSelected === 'true')
    if (event.key === 'ArrowDown') select(field, at + 1)
    else if (event.key === 'ArrowUp') select(field, at - 1)
    else if (event.key === 'Enter' || event.key === 'Tab') choose(field, box.children[at].textContent)
    else if (event.key === 'Escape') close(field)
    else return
    event.preventDefault()
  }, true)
  look()
}

// Who was here when the page came, and who spoke since.
const present = (aliases) => [...new Set([...aliases, ...[...list().querySelectorAll('[data-alias]')].map((row) => row.dataset.alias)])]
  .filter((alias) => alias !== page.alias).sort()
const typed = (field) => field.value.slice(0, field.selectionStart).match(/(?<![\p{L}\p{N}_@])@([\p{L}\p{N}_]*)$/u)

function offer(field, aliases) {
  const begun = typed(field)
  const fits = begun ? present(aliases).filter((alias) => alias.toLowerCase().startsWith(begun[1].toLowerCase())).slice(0, MOST) : []
  if (!fits.length) return close(field)
  box.replaceChildren(...fits.map((alias, at) => {
    const option = make('li', { role: 'option', id: `noem-${at}` }, alias)
    option.addEventListener('pointerdown', (event) => { event.preventDefault(); choose(field, alias) })
    return option
  }))
  box.hidden = false
  select(field, 0)
}

function select(field, at) {
  const there = (at + box.children.length) % box.children.length
  for (const [number, option] of [...box.children].entries()) option.ariaSelected = String(number === there)
  field.setAttribute('aria-activedescendant', `noem-${there}`)
}

function choose(field, alias) {
  const start = field.selectionStart - typed(field)[0].length
  field.setRangeText(`@${alias} `, start, field.selectionStart, 'end')
  close(field)
  field.dispatchEvent(new Event('input'))
}

function close(field) {
  box.hidden = true
  field.removeAttribute('aria-activedescendant')
}
